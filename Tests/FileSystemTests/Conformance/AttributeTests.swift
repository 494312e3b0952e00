import Glibc
import Linux
import Testing

/// chmod(2), chown(2), utimensat(2), and what other calls do to modes and times.
@Suite struct AttributeTests {
    @Test("chmod sets every permission bit", arguments: Subject.allCases)
    func chmod(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f", "text")
            try $0.directory("d")
        }) { area throws in
            for mode: UInt32 in [0o000, 0o777, 0o644, 0o4755, 0o2755, 0o1777, 0o7777] {
                for name in ["f", "d"] {
                    try area.setMode(name, mode)
                    #expect(try area.status(name).permissions == mode)
                }
            }
            #expect(try area.text("f") == "text")
            #expect(try area.status("f").isRegular && area.status("d").isDirectory)
        }
    }

    @Test("chmod by descriptor, of an unlinked file too", arguments: Subject.allCases)
    func chmodOpen(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f", mode: 0o644) }) { area throws in
            let file = try area.open("f", .readWrite)
            try file.setMode(0o600)
            #expect(try area.status("f").permissions == 0o600)
            try area.remove("f")
            try file.setMode(0o640)
            #expect(try file.status().permissions == 0o640)
        }
    }

    @Test("chmod through a descriptor that is open for reading", arguments: Subject.allCases)
    func chmodReader(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f", mode: 0o644) }) { area throws in
            let file = try area.open("f")
            try file.setMode(0o600)
            #expect(try area.status("f").permissions == 0o600)
            #expect(try file.status().permissions == 0o600)
        }
    }

    @Test("chmod follows a symbolic link", arguments: Subject.allCases)
    func chmodLink(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f", mode: 0o644)
            try $0.symlink("l", to: "f")
        }) { area throws in
            try area.setMode("l", 0o600)
            #expect(try area.status("f").permissions == 0o600)
            #expect(try area.status("l").permissions == 0o777)
        }
    }

    @Test("chown sets owner and group, one or both, of links themselves", arguments: Subject.allCases)
    func chown(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f", "text")
            try $0.directory("d")
            try $0.symlink("l", to: "f")
        }) { area throws in
            for name in ["f", "d", "l"] {
                try area.setOwner(name, uid: 1000, gid: nil)
                #expect(try area.status(name).uid == 1000 && area.status(name).gid == 0)
                try area.setOwner(name, uid: nil, gid: 4_000_000_000)
                #expect(try area.status(name).uid == 1000 && area.status(name).gid == 4_000_000_000)
            }
            #expect(try area.text("f") == "text")
        }
    }

    @Test("chown takes set-id bits away from a file", arguments: Subject.allCases)
    func chownClearsSetID(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f", mode: 0o6755)
            try $0.file("g", mode: 0o2745)
            try $0.directory("d", mode: 0o6755)
        }) { area throws in
            for name in ["f", "g", "d"] { try area.setOwner(name, uid: 1000, gid: 1000) }
            #expect(try area.status("f").permissions == 0o755)
            #expect(try area.status("d").permissions == 0o6755)
        }
    }

    @Test("a write by somebody else takes set-id bits away, root's does not", arguments: Subject.allCases)
    func writeClearsSetID(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("theirs", mode: 0o6777)
            try $0.file("ours", mode: 0o6777)
        }) { area throws in
            try asUser(1000) { try area.append("theirs", "!") }
            #expect(try area.status("theirs").permissions == 0o777)
            try area.append("ours", "!")
            #expect(try area.status("ours").permissions == 0o6777)
        }
    }

    @Test("truncating takes set-id bits away as well", arguments: Subject.allCases)
    func truncateClearsSetID(on subject: Subject) throws {
        try subject.run(given: {
            for name in ["a", "b", "c"] { try $0.file(name, "text", mode: 0o6777) }
        }) { area throws in
            try asUser(1000) {
                try truncateFile(area.path.appending("a"), to: 1)
                try area.open("b", .readWrite).truncate(to: 1)
                _ = try area.open("c", [.writeOnly, .truncate])
            }
            for name in ["a", "b", "c"] { #expect(try area.status(name).permissions == 0o777, "\(name)") }
        }
    }

    @Test("a group that its owner is not in loses the set-group-id bit", arguments: Subject.allCases)
    func setGroupIDOfForeignGroup(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f")
            try $0.setOwner("f", uid: 1000, gid: 2000)
        }) { area throws in
            try asUser(1000) { try area.setMode("f", 0o2755) }
            #expect(try area.status("f").permissions == 0o755)
        }
    }

    @Test("times are kept to the nanosecond, also before 1970 and after 2038", arguments: Subject.allCases)
    func times(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f")
            try $0.directory("d")
            try $0.symlink("l", to: "nowhere")
        }) { area throws in
            for name in ["f", "d", "l"] {
                for seconds: Int64 in [1_000_000_000, -5, 0, 5_000_000_000] {
                    let access = TimeSpec(seconds: seconds, nanoseconds: 123_456_789)
                    let modification = TimeSpec(seconds: seconds + 1, nanoseconds: 987_654_321)
                    try area.root.setTimes(of: name, access: access, modification: modification)
                    #expect(try area.status(name).accessTime == access)
                    #expect(try area.status(name).modificationTime == modification)
                }
            }
        }
    }

    @Test("UTIME_OMIT leaves a time, UTIME_NOW is now", arguments: Subject.allCases)
    func omitAndNow(on subject: Subject) throws {
        let old = TimeSpec(seconds: 1_000_000_000, nanoseconds: 5)
        try subject.run(given: {
            try $0.file("f")
            try $0.root.setTimes(of: "f", access: old, modification: old)
        }) { area throws in
            try area.root.setTimes(of: "f", access: .omit, modification: TimeSpec(seconds: 7))
            #expect(try area.status("f").accessTime == old)
            #expect(try area.status("f").modificationTime == TimeSpec(seconds: 7))
            let before = Int64(time(nil)) - 1
            try area.root.setTimes(of: "f", access: .now, modification: .omit)
            #expect(try area.status("f").accessTime.seconds >= before)
            #expect(try area.status("f").modificationTime == TimeSpec(seconds: 7))
            try area.root.setTimes(of: "f", access: .omit, modification: .omit)
            #expect(try area.status("f").modificationTime == TimeSpec(seconds: 7))
        }
    }

    @Test("a write changes mtime and ctime, a chmod ctime only", arguments: Subject.allCases)
    func timesOfChanges(on subject: Subject) throws {
        let old = TimeSpec(seconds: 1_000_000_000)
        try subject.run(given: {
            try $0.file("f", "text")
            try $0.root.setTimes(of: "f", access: old, modification: old)
        }) { area throws in
            let start = try area.status("f").changeTime
            usleep(20_000)
            try area.setMode("f", 0o600)
            let changed = try area.status("f")
            #expect(changed.modificationTime == old)
            #expect((changed.changeTime.seconds, changed.changeTime.nanoseconds) > (start.seconds, start.nanoseconds))
            try area.append("f", "!")
            #expect(try area.status("f").modificationTime.seconds > old.seconds)
        }
    }

    @Test("making and removing a name changes the times of its directory", arguments: Subject.allCases)
    func directoryTimes(on subject: Subject) throws {
        let old = TimeSpec(seconds: 1_000_000_000)
        try subject.run(given: {
            try $0.directory("d")
            try $0.file("d/f")
        }) { area throws in
            func touches(_ what: String, _ change: () throws -> Void) throws {
                try area.root.setTimes(of: "d", access: old, modification: old)
                #expect(try area.status("d").modificationTime == old)
                try change()
                #expect(try area.status("d").modificationTime.seconds > old.seconds, "\(what)")
            }
            try touches("unlink") { try area.remove("d/f") }
            try touches("create") { try area.file("d/f") }
            try touches("mkdir") { try area.directory("d/e") }
            try touches("rmdir") { try area.removeDirectory("d/e") }
            try touches("symlink") { try area.symlink("d/l", to: "f") }
            try touches("link") { try area.link("d/h", to: "d/f") }
            try touches("rename") { try area.rename("d/l", "d/m") }
        }
    }

    @Test("a copy-up of a file changes no time of its directory", arguments: Subject.allCases)
    func copyUpKeepsDirectoryTimes(on subject: Subject) throws {
        let old = TimeSpec(seconds: 1_000_000_000, nanoseconds: 7)
        try subject.run(given: {
            try $0.directory("d")
            try $0.directory("d/e")
            try $0.file("d/e/f")
            for name in ["d/e", "d"] { try $0.root.setTimes(of: name, access: old, modification: old) }
        }) { area throws in
            try area.append("d/e/f", "!")
            try area.setMode("d/e/f", 0o600)
            #expect(try area.status("d/e").modificationTime == old)
            #expect(try area.status("d").modificationTime == old)
        }
    }
}
