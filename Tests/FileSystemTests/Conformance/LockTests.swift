import CLinux
import Glibc
import Linux
import Testing

/// Locks and leases across copy-up, and what inotify tells.
@Suite struct LockTests {
    @Test(
        "flock and fcntl locks taken by a reader hold against a writer", arguments: Subject.allCases, Sample.allCases)
    func readersLocks(on subject: Subject, sample: Sample) throws {
        guard sample.staysOne(on: subject) else { return }
        try subject.run(given: { try $0.file("f", sample.text, mode: sample.mode) }) { area throws in
            let reader = try area.open("f")
            #expect(try reader.lock(exclusive: true, blocking: false))
            #expect(try lockRange(reader, type: F_RDLCK, start: 0, length: 5))
            let writer = try area.open("f", .readWrite)
            try writer.write("X", at: 9)
            #expect(try !writer.lock(exclusive: true, blocking: false))
            #expect(try !lockRange(writer, type: F_WRLCK, start: 4, length: 1))
            #expect(try lockRange(writer, type: F_WRLCK, start: 5, length: 5))
            try reader.close()
            #expect(try writer.lock(exclusive: true, blocking: false))
            #expect(try lockRange(writer, type: F_WRLCK, start: 0, length: 10))
        }
    }

    @Test("locks of one process hold against another, and go with it", arguments: Subject.allCases)
    func processes(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f", "0123456789") }) { area throws in
            // POSIX locks belong to a process: python3 takes one on the second half, after ours on the first.
            let script = """
                import fcntl, sys
                f = open("f", "r+")
                fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB, 5, 5)
                try: fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB, 5, 0); sys.exit(3)
                except BlockingIOError: pass
                sys.stdout.write("locked"); sys.stdout.flush()
                sys.stdin.read()
                """
            let file = try area.open("f", .readWrite)
            #expect(try lockRange(file, type: F_WRLCK, start: 0, length: 5))
            let input = try FileDescriptor.pipe()
            let output = try FileDescriptor.pipe()
            let child = try ChildProcess.spawn(
                "python3", arguments: ["python3", "-c", script], directory: area.path,
                descriptors: [input.read.rawValue, output.write.rawValue, 2])
            let told = output.keepRead()
            let end = input.keepWrite()
            var word = [UInt8](repeating: 0, count: 16)
            let count = try word.withUnsafeMutableBytes { try told.read(into: $0) }
            #expect(String(decoding: word[..<count], as: UTF8.self) == "locked")
            #expect(try !lockRange(file, type: F_WRLCK, start: 6, length: 1))
            try end.close()
            #expect(try child.wait() == .exited(0))
            #expect(try lockRange(file, type: F_WRLCK, start: 6, length: 1))
        }
    }

    @Test("a read lease is given to a reader, and refused while somebody writes", arguments: Subject.allCases)
    func leases(on subject: Subject) throws {
        // By default the signal that tells the holder ends the process.
        let before = signal(SIGIO, SIG_IGN)
        defer { signal(SIGIO, before) }
        let setLease: Int32 = 1024
        let getLease: Int32 = 1025
        try subject.run(given: { try $0.file("f", "text") }) { area throws in
            let reader = try area.open("f")
            #expect(clinux_fcntl(reader.rawValue, setLease, Int(F_RDLCK)) == 0)
            #expect(clinux_fcntl(reader.rawValue, getLease, 0) == F_RDLCK)
            // The holder is told by SIGIO, and the writer to come back: the lease has to be given up first.
            let old = signal(SIGIO, SIG_IGN)
            defer { signal(SIGIO, old) }
            expectError(.EAGAIN) { _ = try area.open("f", [.readWrite, .nonBlocking]) }
            #expect(clinux_fcntl(reader.rawValue, setLease, Int(F_UNLCK)) == 0)
            let writer = try area.open("f", .readWrite)
            #expect(clinux_fcntl(reader.rawValue, setLease, Int(F_RDLCK)) == -1)
            #expect(Errno.current == .EAGAIN)
            try writer.writeAll("!")
        }
    }

    @Test(
        "a lock that a reader shares keeps a writer from having the file alone", arguments: Subject.allCases,
        Sample.allCases)
    func sharedLocks(on subject: Subject, sample: Sample) throws {
        guard sample.staysOne(on: subject) else { return }
        try subject.run(given: { try $0.file("f", sample.text, mode: sample.mode) }) { area throws in
            let reader = try area.open("f")
            #expect(try reader.lock(exclusive: false, blocking: false))
            #expect(try lockRange(reader, type: F_RDLCK, start: 0, length: 1))
            // Another process: POSIX locks of one process do not exclude each other.
            let script = """
                import fcntl
                f = open("f", "r+")
                def refused(call, *arguments):
                    try: call(f, fcntl.LOCK_EX | fcntl.LOCK_NB, *arguments); return 0
                    except BlockingIOError: return 1
                print(refused(fcntl.flock), refused(fcntl.lockf, 1))
                """
            let seen = try runProgram(["python3", "-c", script], directory: area.path)
            #expect(seen.output == "1 1\n")
        }
    }

    @Test(
        "inotify tells of every change of a directory and of a file, across copy-up", arguments: Subject.allCases,
        Sample.allCases)
    func notifications(on subject: Subject, sample: Sample) throws {
        try subject.run(given: {
            try $0.directory("d")
            try $0.file("d/f", sample.text, mode: sample.mode)
        }) { area throws in
            // Who has the file open keeps it one file for the watches, too.
            let reader: FileDescriptor? = sample.staysOne(on: subject) ? try area.open("d/f") : nil
            let queue = FileDescriptor(owning: inotify_init1(Int32(IN_NONBLOCK)))
            let all: UInt32 = 0xfff
            #expect(inotify_add_watch(queue.rawValue, area.path.appending("d"), all) > 0)
            let ofFile = inotify_add_watch(queue.rawValue, area.path.appending("d/f"), all)
            #expect(ofFile > 0)
            _ = try events(queue)
            try area.append("d/f", "!")
            var seen = try events(queue)
            #expect(seen.contains { $0.watch == ofFile && $0.mask & 0x2 != 0 }, "IN_MODIFY of the file: \(seen)")
            #expect(seen.contains { $0.watch != ofFile && $0.name == "f" && $0.mask & 0x2 != 0 }, "IN_MODIFY below")
            #expect(seen.contains { $0.mask & 0x8 != 0 }, "IN_CLOSE_WRITE")
            try area.setMode("d/f", 0o600)
            seen = try events(queue)
            #expect(seen.contains { $0.watch == ofFile && $0.mask & 0x4 != 0 }, "IN_ATTRIB: \(seen)")
            try area.file("d/g")
            try area.rename("d/g", "d/h")
            try area.remove("d/h")
            seen = try events(queue)
            for (bit, name) in [(UInt32(0x100), "g"), (0x40, "g"), (0x80, "h"), (0x200, "h")] {
                #expect(seen.contains { $0.name == name && $0.mask & bit != 0 }, "\(bit) \(name)")
            }
            try reader?.close()
            try area.remove("d/f")
            seen = try events(queue)
            #expect(seen.contains { $0.watch == ofFile && $0.mask & 0x400 != 0 }, "IN_DELETE_SELF: \(seen)")
        }
    }

    private struct Event {
        var watch: Int32
        var mask: UInt32
        var name: String
    }

    private func events(_ queue: borrowing FileDescriptor) throws -> [Event] {
        var result: [Event] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count: Int
            do {
                count = try buffer.withUnsafeMutableBytes { try queue.read(into: $0) }
            } catch let error as Errno {
                if error == .EAGAIN { return result }
                throw error
            }
            // struct inotify_event { int wd; u32 mask, cookie, len; char name[]; }
            buffer[..<count].withUnsafeBytes { bytes in
                var position = 0
                while position + 16 <= count {
                    let length = Int(bytes.loadUnaligned(fromByteOffset: position + 12, as: UInt32.self))
                    let name = bytes[(position + 16)..<(position + 16 + length)].prefix { $0 != 0 }
                    result.append(
                        Event(
                            watch: bytes.loadUnaligned(fromByteOffset: position, as: Int32.self),
                            mask: bytes.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self),
                            name: String(decoding: name, as: UTF8.self)))
                    position += 16 + length
                }
            }
        }
    }
}
