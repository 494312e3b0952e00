import CLinux
import Glibc
import Linux
import TestSupport
import Testing

/// fallocate(2), holes, copies within the kernel, and what is asked of a whole file system.
@Suite struct SpaceTests {
    private static let block: Int64 = 4096
    private static let (keepSize, punchHole, collapse, zeroRange, insert): (Int32, Int32, Int32, Int32, Int32) =
        (1, 2, 8, 16, 32)

    private static func fill(_ area: Area, _ name: String, blocks: Int) throws {
        try area.file(name, "")
        let file = try area.open(name, .writeOnly)
        for number in 0..<blocks {
            try file.writeAll([UInt8](repeating: UInt8(truncatingIfNeeded: 97 + number), count: Int(block)))
        }
    }

    @Test("a punched hole reads as zeros, is found, and gives its room back", arguments: Subject.allCases)
    func holes(on subject: Subject) throws {
        try subject.stage(given: { try Self.fill($0, "f", blocks: 16) }) { stage in
            try stage.act { area throws in
                let file = try area.open("f", .readWrite)
                let before = try file.status().allocatedSize
                try file.allocate(mode: Self.punchHole | Self.keepSize, offset: 4 * Self.block, length: 8 * Self.block)
                #expect(try file.status().allocatedSize <= before - 8 * Self.block)
                #expect(try file.seek(0, from: .hole) == 4 * Self.block)
                #expect(try file.seek(4 * Self.block, from: .data) == 12 * Self.block)
                #expect(try area.open("f").seek(5 * Self.block, from: .hole) == 5 * Self.block)
                // Beyond the end nothing changes.
                try file.allocate(mode: Self.punchHole | Self.keepSize, offset: 20 * Self.block, length: Self.block)
                #expect(try file.status().size == 16 * Self.block)
            }
            try stage.beforeAndAfterRemount { area throws in
                let file = try area.open("f")
                #expect(try file.bytes(at: 4 * Self.block - 1, count: 2) == [100, 0])
                #expect(try file.bytes(at: 12 * Self.block - 1, count: 2) == [0, 109])
                #expect(try file.seek(0, from: .hole) == 4 * Self.block)
            }
        }
    }

    @Test("zeroing ranges keeps or extends the size, as told", arguments: Subject.allCases)
    func zeroes(on subject: Subject) throws {
        try subject.run(given: { try Self.fill($0, "f", blocks: 4) }) { area throws in
            let file = try area.open("f", .readWrite)
            try file.allocate(mode: Self.zeroRange | Self.keepSize, offset: 3 * Self.block, length: 3 * Self.block)
            #expect(try file.status().size == 4 * Self.block)
            try file.allocate(mode: Self.zeroRange, offset: Self.block + 1, length: 5 * Self.block)
            #expect(try file.status().size == 6 * Self.block + 1)
            let all = try file.bytes(at: 0, count: 8 * Int(Self.block))
            #expect(all.count == 6 * Int(Self.block) + 1)
            #expect(all[..<Int(Self.block)].allSatisfy { $0 == 97 } && all[Int(Self.block)] == 98)
            #expect(all[(Int(Self.block) + 1)...].allSatisfy { $0 == 0 })
        }
    }

    @Test("ranges are taken out and put in, or refused without harm", arguments: Subject.allCases)
    func collapseAndInsert(on subject: Subject) throws {
        try subject.run(given: { try Self.fill($0, "f", blocks: 4) }) { area throws in
            let file = try area.open("f", .readWrite)
            // FUSE passes these modes on to nobody.
            if ![.directory, .kernelOverlay].contains(subject) {
                for mode in [Self.collapse, Self.insert] {
                    expectError(.EOPNOTSUPP) { try file.allocate(mode: mode, offset: Self.block, length: Self.block) }
                }
                #expect(try file.status().size == 4 * Self.block)
                return
            }
            try file.allocate(mode: Self.collapse, offset: Self.block, length: Self.block)
            #expect(try file.bytes(at: Self.block, count: 1) == [99])
            try file.allocate(mode: Self.insert, offset: Self.block, length: Self.block)
            #expect(try file.bytes(at: Self.block, count: 1) == [0])
        }
    }

    @Test("copy_file_range: large, sparse, over the end, through unlinked files", arguments: Subject.allCases)
    func copies(on subject: Subject) throws {
        try subject.run(given: {
            try Self.fill($0, "a", blocks: 300)
            try $0.file("b", "b")
        }) { area throws in
            let source = try area.open("a")
            let sink = try area.open("b", .readWrite)
            try area.remove("a")
            var done: Int64 = 0
            while done < 300 * Self.block {
                let count = try source.copyRange(from: done, to: sink, at: done + 1, length: Int(UInt32.max))
                if count == 0 { break }
                done += Int64(count)
            }
            #expect(done == 300 * Self.block)
            #expect(try sink.status().size == done + 1)
            #expect(try hash(Array(area.open("b").readAll().dropFirst())) == hash(source.readAll()))
            try area.remove("b")
            #expect(try sink.copyRange(from: 1, to: sink, at: done + 1, length: 10) == 10)
            #expect(try sink.status().size == done + 11)
            expectError(.EINVAL) { _ = try sink.copyRange(from: 0, to: sink, at: 5, length: 10) }
            expectError(.EBADF) { _ = try source.copyRange(from: 0, to: source, at: 1 << 20, length: 10) }
        }
    }

    @Test("a file is copied by sendfile(2), splice(2) and between mounts", arguments: Subject.allCases)
    func transfers(on subject: Subject) throws {
        try subject.run(given: { try Self.fill($0, "a", blocks: 40) }) { area throws in
            let source = try area.open("a")
            let wanted = hash(try source.readAll())
            let sent = try area.open("sent", [.readWrite, .create])
            var position = 0
            while position < 40 * Int(Self.block) {
                if sendfile(sent.rawValue, source.rawValue, &position, 1 << 20) <= 0 { break }
            }
            #expect(try hash(area.open("sent").readAll()) == wanted)
            try withScratch { scratch in
                let finished = try runProgram(
                    ["sh", "-c", "cp --reflink=auto '\(area.path)/a' out && cp out '\(area.path)/back'"],
                    directory: scratch)
                #expect(finished.status == 0, "\(finished.output)")
            }
            #expect(try hash(area.open("back").readAll()) == wanted)
            let pipe = try runProgram(["sh", "-c", "cat a | cat > piped"], directory: area.path)
            #expect(pipe.status == 0)
            #expect(try hash(area.open("piped").readAll()) == wanted)
        }
    }

    @Test("advice and syncs are taken", arguments: Subject.allCases)
    func advice(on subject: Subject) throws {
        try subject.run(given: { try Self.fill($0, "f", blocks: 40) }) { area throws in
            for flags: OpenFlags in [.readOnly, .readWrite] {
                let file = try area.open("f", flags)
                for advice in [POSIX_FADV_SEQUENTIAL, POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED] {
                    #expect(posix_fadvise(file.rawValue, 0, 0, advice) == 0)
                }
                #expect(try file.text(count: 2) == "aa")
                try file.syncFileSystem()
            }
            let writer = try area.open("f", [.readWrite, .synchronous])
            try writer.write("zz", at: 0)
            #expect(try area.open("f").text(count: 3) == "zza")
        }
    }

    @Test(
        "statfs tells of the same file system everywhere, and of room that writing takes", arguments: Subject.allCases)
    func fileSystem(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f")
            try $0.directory("d")
            try $0.symlink("l", to: "f")
        }) { area throws in
            let whole = try area.root.fileSystemStatus()
            for name in ["f", "d"] {
                let part = try area.open(name).fileSystemStatus()
                #expect(part.blocks == whole.blocks && part.files == whole.files && part.type == whole.type)
            }
            #expect(whole.files > whole.filesFree && whole.filesFree > 0)
            #expect(whole.blocksAvailable <= whole.blocksFree)
        }
    }
}
