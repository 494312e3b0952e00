import CLinux
import Glibc
import Linux
import Testing

/// What was opened before a file was copied up, renamed or unlinked goes on working.
@Suite struct OpenDescriptorTests {
    private static let samples = Sample.allCases

    @Test("an unlinked file is opened again through /proc, to read and to write", arguments: Subject.allCases, samples)
    func reopenUnlinked(on subject: Subject, sample: Sample) throws {
        try subject.run(given: { try $0.file("f", sample.text, mode: sample.mode) }) { area throws in
            let reader = try area.open("f")
            try area.remove("f")
            let again = try reader.reopened(.readOnly)
            #expect(try again.text(count: 6) == "012345")
            // The kernel's overlay cannot copy up what has no name.
            if subject == .kernelOverlay { return }
            guard sample.staysOne(on: subject) else {
                return expectError(.ETXTBSY) { _ = try reader.reopened(.readWrite) }
            }
            let writer = try reader.reopened(.readWrite)
            try writer.write("new", at: 0)
            #expect(try writer.text(count: 6) == "new345")
            #expect(try reader.reopened(.readOnly).text(count: 6) == "new345")
            #expect(try writer.status().size == Int64(sample.length))
            #expect(try writer.status().permissions == sample.mode)
            try writer.truncate(to: 3)
            #expect(try writer.text() == "new")
            #expect(try area.names() == [])
        }
    }

    @Test("attributes of an unlinked file change through a reader", arguments: Subject.allCases, samples)
    func changeUnlinked(on subject: Subject, sample: Sample) throws {
        if subject == .kernelOverlay { return }
        try subject.run(given: { try $0.file("f", sample.text, mode: sample.mode) }) { area throws in
            let reader = try area.open("f")
            try area.remove("f")
            try reader.setMode(0o600)
            try reader.setOwner(uid: 5, gid: 6)
            try reader.setAttribute("user.a", [1])
            let status = try reader.status()
            #expect(status.permissions == 0o600 && status.uid == 5 && status.gid == 6 && status.linkCount == 0)
            #expect(try reader.attribute("user.a") == [1])
            #expect(try reader.text(count: 6) == "012345")
            #expect(try reader.status().size == Int64(sample.length))
        }
    }

    @Test("attributes change through a reader after another has written", arguments: Subject.allCases, samples)
    func changeThroughOldReader(on subject: Subject, sample: Sample) throws {
        try subject.run(given: { try $0.file("f", sample.text, mode: sample.mode) }) { area throws in
            let reader = try area.open("f")
            try area.append("f", "!")
            try reader.setMode(0o600)
            #expect(try area.status("f").permissions == 0o600)
            try reader.setOwner(uid: 5, gid: 6)
            try reader.setAttribute("user.a", [1])
            #expect(try area.status("f").uid == 5)
            #expect(try area.root.attribute("user.a", of: "f") == [1])
            #expect(try reader.status().permissions == 0o600)
            #expect(try reader.status().inode == area.status("f").inode)
            guard sample.staysOne(on: subject) else {
                return expectError(.ETXTBSY) { _ = try reader.reopened([.writeOnly, .append]) }
            }
            let writer = try reader.reopened([.writeOnly, .append])
            try writer.writeAll("!")
            #expect(try area.text("f") == sample.text + "!!")
        }
    }

    @Test("a reader sees its last name go after another has written", arguments: Subject.allCases, samples)
    func unlinkAfterWrite(on subject: Subject, sample: Sample) throws {
        try subject.run(given: { try $0.file("f", sample.text, mode: sample.mode) }) { area throws in
            let reader = try area.open("f")
            try area.append("f", "!")
            #expect(try reader.status().linkCount == 1)
            try area.remove("f")
            #expect(try reader.status().linkCount == 0)
            #expect(try reader.text(count: 6) == "012345")
        }
    }

    @Test("a descriptor follows its file through renames and copy-up", arguments: Subject.allCases, samples)
    func renames(on subject: Subject, sample: Sample) throws {
        try subject.run(given: {
            try $0.directory("d")
            try $0.file("d/f", sample.text, mode: sample.mode)
        }) { area throws in
            let writer = try area.open("d/f", .readWrite)
            try area.rename("d/f", "g")
            try writer.write("1", at: 0)
            try area.rename("d", "e")
            try area.rename("g", "e/g")
            try writer.write("2", at: 1)
            #expect(try area.open("e/g").text(count: 4) == "1223")
            try area.file("h", "over")
            try area.rename("h", "e/g")
            try writer.write("3", at: 2)
            #expect(try writer.text(count: 4) == "1233")
            #expect(try area.text("e/g") == "over")
            #expect(try writer.status().linkCount == 0)
        }
    }

    @Test("mappings live on over unlink, rename and copy-up, shared and private", arguments: Subject.allCases, samples)
    func mappings(on subject: Subject, sample: Sample) throws {
        try subject.run(given: { try $0.file("f", sample.text, mode: sample.mode) }) { area throws in
            let old = try Mapping(try area.open("f"), length: 16, writable: false, shared: true)
            let own = try Mapping(try area.open("f"), length: 16, writable: true, shared: false)
            own.store("mine", at: 0)
            let shared = try Mapping(try area.open("f", .readWrite), length: 16, writable: true, shared: true)
            shared.store("ours", at: 4)
            #expect(own.text(count: 4) == "mine")
            #expect(try area.open("f").text(count: 8) == "0123ours")
            let late = try Mapping(try area.open("f"), length: 16, writable: false, shared: true)
            #expect(late.text(count: 8) == "0123ours")
            try area.rename("f", "g")
            shared.store("!", at: 0)
            #expect(late.text(count: 4) == "!123")
            try area.remove("g")
            shared.store("?", at: 0)
            #expect(late.text(count: 4) == "?123")
            #expect(["01234567", "0123ours", "?123ours"].contains(old.text(count: 8)))
            #expect(own.text(count: 4) == "mine")
        }
    }

    @Test("processes that append lose nothing", arguments: Subject.allCases, samples)
    func appenders(on subject: Subject, sample: Sample) throws {
        let (writers, lines) = (4, 50)
        try subject.run(given: { try $0.file("f", sample.text + "\n", mode: sample.mode) }) { area throws in
            let file = try area.open("f", [.writeOnly, .append])
            let input = try FileDescriptor.open("/dev/null")
            // Half of them have the file open already, half open it for each line.
            let children = try (0..<writers).map { writer in
                let line = "writer-\(writer)"
                let script =
                    writer % 2 == 0
                    ? "for i in $(seq \(lines)); do echo \(line); done"
                    : "for i in $(seq \(lines)); do echo \(line) >> f; done"
                return try ChildProcess.spawn(
                    "sh", arguments: ["sh", "-c", script], directory: area.path,
                    descriptors: [input.rawValue, file.rawValue, 2])
            }
            for child in children { #expect(try child.wait() == .exited(0)) }
            let written = try area.text("f").split(separator: "\n").dropFirst()
            #expect(written.count == writers * lines)
            for writer in 0..<writers { #expect(written.count { $0 == "writer-\(writer)" } == lines) }
        }
    }

    @Test(
        "an unnamed file can be reopened, mapped, and linked in where something was deleted",
        arguments: Subject.allCases)
    func temporaryFile(on subject: Subject) throws {
        try subject.stage(given: {
            try $0.directory("d")
            try $0.file("d/f", "old")
        }) { stage in
            try stage.act { area throws in
                let file = try area.open("d", [.temporaryFile, .readWrite], mode: 0o600)
                try file.writeAll("0123456789")
                let again = try file.reopened(.readOnly)
                #expect(try again.text() == "0123456789")
                let mapping = try Mapping(file, length: 10, writable: true, shared: true)
                mapping.store("X", at: 0)
                try file.setMode(0o640)
                try file.setAttribute("user.a", [1])
                try area.remove("d/f")
                try file.makeLink(in: area.root, at: "d/f")
                try file.makeLink(in: area.root, at: "g")
                #expect(try area.status("g").linkCount == 2)
                mapping.store("Y", at: 1)
                #expect(try area.text("d/f") == "XY23456789")
            }
            try stage.beforeAndAfterRemount { area throws in
                #expect(try area.text("g") == "XY23456789")
                #expect(try area.status("d/f").permissions == 0o640)
                #expect(try area.status("d/f").inode == area.status("g").inode)
                #expect(try area.root.attribute("user.a", of: "g") == [1])
            }
        }
    }

    @Test("O_DIRECT, through an unlink and beside a buffered writer", arguments: Subject.allCases)
    func direct(on subject: Subject) throws {
        let block = 4096
        try subject.run(given: { try $0.file("f", String(repeating: "0123456789abcdef", count: block / 4)) }) {
            area throws in
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: block, alignment: block)
            defer { memory.deallocate() }
            let reader = try area.open("f", [.readOnly, .direct])
            #expect(try reader.read(into: memory, at: 0) == block)
            let writer = try area.open("f", [.readWrite, .direct])
            memory.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: "d"))
            #expect(try writer.write(UnsafeRawBufferPointer(memory), at: Int64(block)) == block)
            let buffered = try area.open("f", .readWrite)
            #expect(try buffered.text(at: Int64(block), count: 4) == "dddd")
            try buffered.write("bbbb", at: Int64(2 * block))
            #expect(try writer.read(into: memory, at: Int64(2 * block)) == block)
            #expect(memory.prefix(6).elementsEqual("bbbb45".utf8))
            try area.remove("f")
            #expect(try writer.read(into: memory, at: Int64(block)) == block)
            #expect(memory.allSatisfy { $0 == UInt8(ascii: "d") })
        }
    }
}
