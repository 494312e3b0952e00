import Glibc
import Linux
import Testing

/// mmap(2), and how it agrees with read and write.
@Suite struct MemoryMapTests {
    @Test("a private mapping shows the file and keeps its own changes", arguments: Subject.allCases)
    func privateMapping(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f", "0123456789") }) { area throws in
            let file = try area.open("f")
            let mapping = try Mapping(file, length: 10, writable: true, shared: false)
            #expect(mapping.text(count: 10) == "0123456789")
            mapping.store("abc", at: 0)
            #expect(mapping.text(count: 4) == "abc3")
            #expect(try area.text("f") == "0123456789")
        }
    }

    @Test("a shared mapping and read and write agree", arguments: Subject.allCases)
    func sharedMapping(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f", "0123456789") }) { area throws in
            let file = try area.open("f", .readWrite)
            let mapping = try Mapping(file, length: 10, writable: true, shared: true)
            try file.write("ab", at: 0)
            #expect(mapping.text(count: 3) == "ab2")
            mapping.store("yz", at: 8)
            #expect(try file.text() == "ab234567yz")
            #expect(try area.text("f") == "ab234567yz")
            try mapping.sync()
            #expect(try area.text("f") == "ab234567yz")
        }
    }

    @Test("two shared mappings of one file agree", arguments: Subject.allCases)
    func twoMappings(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f", "0123456789") }) { area throws in
            let first = try Mapping(try area.open("f", .readWrite), length: 10, writable: true, shared: true)
            let second = try Mapping(try area.open("f", .readWrite), length: 10, writable: true, shared: true)
            first.store("X", at: 5)
            #expect(second.text(count: 6) == "01234X")
            second.store("Y", at: 6)
            #expect(first.text(count: 7) == "01234XY")
        }
    }

    @Test("a mapping lives on without descriptor and name", arguments: Subject.allCases)
    func outlivesName(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f", "text") }) { area throws in
            let mapping = try Mapping(try area.open("f", .readWrite), length: 4, writable: true, shared: true)
            try area.remove("f")
            mapping.store("T", at: 0)
            #expect(mapping.text(count: 4) == "Text")
        }
    }

    @Test("a shared writable mapping needs a descriptor that writes", arguments: Subject.allCases)
    func protection(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f", "text") }) { area throws in
            expectError(.EACCES) {
                _ = try Mapping(try area.open("f"), length: 4, writable: true, shared: true)
            }
            expectError(.EACCES) {
                _ = try Mapping(try area.open("f", .writeOnly), length: 4, writable: false, shared: false)
            }
        }
    }

    @Test("a reader's mapping made after a write shows the write", arguments: Subject.allCases)
    func mappingAfterWrite(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f", "0123456789") }) { area throws in
            let old = try area.open("f")
            let oldMapping = try Mapping(old, length: 10, writable: false, shared: true)
            let writer = try area.open("f", .readWrite)
            try writer.write("new", at: 0)
            let mapping = try Mapping(try area.open("f"), length: 10, writable: false, shared: true)
            #expect(mapping.text(count: 5) == "new34")
            // What was opened and mapped before a copy-up may go on showing the file as it was then, and nothing else.
            #expect(["0123456789", "new3456789"].contains(oldMapping.text(count: 10)))
        }
    }

    @Test(
        "a store moves the times, also when nothing but the mapping is left", arguments: Subject.allCases,
        Sample.allCases)
    func timesOfStores(on subject: Subject, sample: Sample) throws {
        try subject.run(given: { try $0.file("f", sample.text, mode: sample.mode) }) { area throws in
            let old = TimeSpec(seconds: 1_000_000_000)
            var before = try area.status("f")
            func expectMoved(_ what: String) throws {
                let now = try area.status("f")
                #expect(now.modificationTime != old, "\(what): modification")
                #expect(now.changeTime != before.changeTime, "\(what): change")
            }
            func reset() throws {
                try area.root.setTimes(of: "f", access: old, modification: old)
                before = try area.status("f")
                // Times of files have the granularity of a tick.
                usleep(20_000)
            }
            let file = try area.open("f", .readWrite)
            let mapping = try Mapping(file, length: 16, writable: true, shared: true)
            try reset()
            mapping.store("one", at: 0)
            try mapping.sync()
            try expectMoved("open")
            try file.close()
            try reset()
            mapping.store("two", at: 4)
            try mapping.sync()
            try expectMoved("closed")
            #expect(try area.open("f").text(count: 8) == "one3two7")
        }
    }
}
