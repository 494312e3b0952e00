import Glibc
import Linux
import Synchronization
import Testing

/// A file stays one file when it is copied up: for who has it open, and for who comes while it is replaced.
@Suite struct OneInodeTests {
    @Test("a reader sees what others append and overwrite later", arguments: Subject.allCases, Sample.allCases)
    func following(on subject: Subject, sample: Sample) throws {
        try subject.run(given: { try $0.file("f", sample.text, mode: sample.mode) }) { area throws in
            let reader = try area.open("f")
            #expect(try reader.text(count: 6) == "012345")
            let end = Int64(sample.length)
            try area.append("f", "appended")
            let writer = try area.open("f", .readWrite)
            try writer.write("new", at: 0)
            guard sample.staysOne(on: subject) else { return try expectOldFile(reader, writer, area) }
            #expect(try reader.status().size == end + 8)
            #expect(try reader.status().inode == area.status("f").inode)
            #expect(try area.open("f").text(count: 6) == "new345")
            #expect(try reader.reopened(.readOnly).text(count: 6) == "new345")
            let late = try reader.reopened(.readWrite)
            try late.write("!", at: 3)
            #expect(try writer.text(count: 6) == "new!45")
            #expect(try reader.text(count: 6) == "new!45")
            #expect(try reader.text(at: end, count: 8) == "appended")
        }
    }

    /// What the kernel reads by itself stays what it was for who has it open, and only for them.
    private func expectOldFile(
        _ reader: borrowing FileDescriptor, _ writer: borrowing FileDescriptor, _ area: Area
    ) throws {
        #expect(try reader.text(count: 6) == "012345")
        #expect(try reader.reopened(.readOnly).text(count: 6) == "012345")
        expectError(.ETXTBSY) { _ = try reader.reopened(.readWrite) }
        #expect(try reader.status().inode == area.status("f").inode)
        #expect(try area.open("f").text(count: 6) == "new345")
        #expect(try writer.reopened(.readOnly).text(count: 6) == "new345")
    }

    @Test("when the readers of a program have gone, the kernel reads and maps the new one", arguments: Subject.allCases)
    func readersGo(on subject: Subject) throws {
        let sample = Sample.program
        try subject.run(given: { try $0.file("f", sample.text, mode: sample.mode) }) { area throws in
            let reader = try area.open("f")
            let writer = try area.open("f", .readWrite)
            try writer.write("new", at: 0)
            #expect(try writer.text(count: 6) == "new345")
            try reader.close()
            // While the writer is still there.
            let mapping = try Mapping(try area.open("f", .readWrite), length: 16, writable: true, shared: true)
            #expect(mapping.text(count: 6) == "new345")
            mapping.store("!", at: 3)
            #expect(try writer.text(count: 6) == "new!45")
            try writer.write("?", at: 4)
            #expect(mapping.text(count: 6) == "new!?5")
            try writer.close()
            #expect(try area.open("f").text(count: 6) == "new!?5")
        }
    }

    @Test("truncation, holes and ranges reach readers", arguments: Subject.allCases, Sample.allCases)
    func shrinking(on subject: Subject, sample: Sample) throws {
        try subject.run(given: { try $0.file("f", sample.text, mode: sample.mode) }) { area throws in
            guard sample.staysOne(on: subject) else { return }
            let reader = try area.open("f")
            #expect(try reader.text(count: 6) == "012345")
            try truncateFile(area.path.appending("f"), to: 3)
            #expect(try reader.status().size == 3)
            try area.append("f", "new")
            #expect(try reader.reopened(.readOnly).text() == "012new")
            #expect(try reader.text() == "012new")
        }
    }

    /// Who opens, reads or asks while a name is replaced gets the old file or the new one.
    @Test("no error reaches who opens a file that is replaced by rename again and again", arguments: Subject.allCases)
    func replacedByRename(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f", "00000000")
            try $0.symlink("l", to: "00000000")
        }) { area throws in
            let isOver = Atomic<Bool>(false)
            let faults = Mutex<[String]>([])
            let path = area.path
            try withExtendedLifetime(area) {
                try concurrently(
                    openers: 3,
                    { number in
                        while !isOver.load(ordering: .relaxed) {
                            do {
                                try look(path, writes: number == 0)
                            } catch {
                                faults.withLock { $0.append("\(error)") }
                                return
                            }
                        }
                    },
                    while: {
                        defer { isOver.store(true, ordering: .relaxed) }
                        for round in 1...2000 {
                            let text = String(10_000_000 + round)
                            try area.file("new", text)
                            try area.rename("new", "f")
                            try area.symlink("new", to: text)
                            try area.rename("new", "l")
                        }
                    })
            }
            #expect(faults.withLock { $0 } == [])
        }
    }

    private func look(_ path: String, writes: Bool) throws {
        let file = try FileDescriptor.open(path + "/f", writes ? .readWrite : .readOnly)
        let text = String(decoding: try file.readAll(), as: UTF8.self)
        if text.count != 8 || Int(text) == nil { throw SetupFailure("read \(text)") }
        if writes { try file.setMode(0o600) }
        let link = try FileDescriptor.currentDirectory.readLink(path + "/l")
        if link.count != 8 { throw SetupFailure("the link says \(link)") }
        _ = try FileDescriptor.currentDirectory.status(of: path + "/f")
    }

    private func concurrently(
        openers: Int, _ body: @escaping @Sendable (Int) -> Void, while main: () throws -> Void
    ) throws {
        let threads = (0..<openers).map { number in PrivateThread.start { body(number) } }
        defer { for thread in threads { thread.join() } }
        try main()
    }
}
