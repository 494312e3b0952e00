import Glibc
import Linux
import Testing

/// Extended attributes.
@Suite struct ExtendedAttributeTests {
    @Test("user attributes are set, read, listed, replaced, removed", arguments: Subject.allCases)
    func roundTrip(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f", "text")
            try $0.directory("d")
            for name in ["f", "d"] { try $0.root.setAttribute("user.given", of: name, [1, 2, 3]) }
        }) { area throws in
            for name in ["f", "d"] {
                let file = try area.open(name)
                #expect(try file.attribute("user.given") == [1, 2, 3])
                try file.setAttribute("user.made", [0, 255])
                #expect(try names(of: file) == ["user.given", "user.made"])
                try file.setAttribute("user.given", [])
                #expect(try file.attribute("user.given") == [])
                try file.removeAttribute("user.given")
                #expect(try file.attribute("user.given") == nil)
                expectError(.ENODATA) { try file.removeAttribute("user.given") }
                #expect(try names(of: file) == ["user.made"])
            }
            #expect(try area.text("f") == "text")
        }
    }

    private func names(of file: borrowing FileDescriptor) throws -> [String] {
        try file.attributeNames().map { String(decoding: $0.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) }
            .sorted()
    }

    @Test("XATTR_CREATE and XATTR_REPLACE", arguments: Subject.allCases)
    func writeModes(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f")
            try $0.root.setAttribute("user.a", of: "f", [1])
        }) { area throws in
            let file = try area.open("f", .readWrite)
            expectError(.EEXIST) { try file.setAttribute("user.a", [2], mode: .create) }
            expectError(.ENODATA) { try file.setAttribute("user.b", [2], mode: .replace) }
            try file.setAttribute("user.a", [3], mode: .replace)
            try file.setAttribute("user.b", [4], mode: .create)
            #expect(try file.attribute("user.a") == [3] && file.attribute("user.b") == [4])
        }
    }

    @Test("sizes: asked for with no room, too little room is ERANGE", arguments: Subject.allCases)
    func sizes(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f")
            try $0.root.setAttribute("user.a", of: "f", [UInt8](repeating: 7, count: 1000))
        }) { area throws in
            let file = try area.open("f")
            let none = UnsafeMutableRawBufferPointer(start: nil, count: 0)
            #expect(try file.attributeSize("user.a") == 1000)
            #expect(try file.attributeNames(into: none) == "user.a".utf8.count + 1)
            expectError(.ENODATA) { _ = try file.attributeSize("user.missing") }
            var small = [UInt8](repeating: 0, count: 4)
            expectError(.ERANGE) { _ = try small.withUnsafeMutableBytes { try file.attribute("user.a", into: $0) } }
            expectError(.ERANGE) { _ = try small.withUnsafeMutableBytes { try file.attributeNames(into: $0) } }
        }
    }

    @Test("large values, many names, a long name", arguments: Subject.allCases)
    func large(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f") }) { area throws in
            let file = try area.open("f")
            let value = (0..<2000).map { UInt8(truncatingIfNeeded: $0) }
            try file.setAttribute("user.large", value)
            #expect(try file.attribute("user.large") == value)
            try file.removeAttribute("user.large")
            for number in 0..<40 { try file.setAttribute("user.name-\(number)", [UInt8(number)]) }
            #expect(try file.attributeNames().count == 40)
            let longest = "user." + String(repeating: "n", count: 250)
            try file.setAttribute(longest, [1])
            #expect(try file.attribute(longest) == [1])
            expectError(.ERANGE) { try file.setAttribute(longest + "n", [1]) }
            expectError(.E2BIG) { try file.setAttribute("user.big", [UInt8](repeating: 0, count: 65_537)) }
        }
    }

    @Test("trusted and security attributes", arguments: Subject.allCases)
    func otherNamespaces(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f")
            try $0.root.setAttribute("trusted.given", of: "f", [1])
        }) { area throws in
            let file = try area.open("f")
            #expect(try file.attribute("trusted.given") == [1])
            try file.setAttribute("trusted.made", [2])
            try file.setAttribute("security.made", [3])
            #expect(try file.attribute("trusted.made") == [2])
            #expect(try file.attribute("security.made") == [3])
            #expect(try names(of: file) == ["security.made", "trusted.given", "trusted.made"])
            let seen = try asUser(1000) { try file.attribute("security.made") }
            #expect(seen == [3])
            expectError(.EOPNOTSUPP) { try file.setAttribute("nonsense.x", [1]) }
        }
    }

    @Test("attributes of symbolic links and special files", arguments: Subject.allCases)
    func specials(on subject: Subject) throws {
        try subject.run(given: {
            try $0.symlink("l", to: "nowhere")
            try $0.root.makeNode("p", mode: S_IFIFO | 0o644)
            try $0.root.setAttribute("trusted.a", of: "l", [1])
        }) { area throws in
            #expect(try area.root.attribute("trusted.a", of: "l") == [1])
            for name in ["l", "p"] {
                try area.root.setAttribute("trusted.b", of: name, [2])
                #expect(try area.root.attribute("trusted.b", of: name) == [2])
                expectError(.EPERM) { try area.root.setAttribute("user.x", of: name, [1]) }
            }
            #expect(try area.target("l") == "nowhere")
        }
    }

    @Test("a copy-up keeps every attribute", arguments: Subject.allCases)
    func copyUp(on subject: Subject) throws {
        let capability: [UInt8] = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        try subject.run(given: {
            try $0.file("f", "text", mode: 0o755)
            try $0.root.setAttribute("user.a", of: "f", [1])
            try $0.root.setAttribute("trusted.b", of: "f", [2])
            try $0.root.setAttribute("security.capability", of: "f", capability)
        }) { area throws in
            try area.setMode("f", 0o700)
            let file = try area.open("f")
            #expect(try names(of: file) == ["security.capability", "trusted.b", "user.a"])
            #expect(try file.attribute("security.capability") == capability)
        }
    }

    @Test("a write takes capabilities away", arguments: Subject.allCases)
    func writeDropsCapabilities(on subject: Subject) throws {
        let capability: [UInt8] = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        try subject.run(given: {
            try $0.file("f", "text", mode: 0o755)
            try $0.root.setAttribute("security.capability", of: "f", capability)
        }) { area throws in
            #expect(try area.open("f").attribute("security.capability") == capability)
            try area.append("f", "!")
            #expect(try area.open("f").attribute("security.capability") == nil)
        }
    }

    @Test("the union's own attributes are neither shown nor taken", arguments: Subject.allCases.filter(\.isUnion))
    func ownAttributes(on subject: Subject) throws {
        try subject.run(given: {
            try $0.directory("d")
            try $0.file("d/f")
        }) { area throws in
            try area.append("d/f", "!")
            try area.rename("d", "e")
            try area.directory("d")
            for name in [".", "d", "e", "e/f"] {
                let file = try area.open(name)
                #expect(try names(of: file).filter { $0.contains("overlay") } == [], "\(name)")
                #expect(try file.attribute("trusted.overlay.origin") == nil)
                #expect(try file.attribute("trusted.overlay.opaque") == nil)
            }
        }
    }

    @Test("attributes of the union's own names are a program's affair, on any layer", arguments: Subject.allCases)
    func escapedAttributes(on subject: Subject) throws {
        if UserNamespace.isInside { return }
        let isBelow = subject.isUnion && subject != .strataUpper
        try subject.stage(given: { area in
            try area.directory("d")
            try area.directory("d/e")
            try area.file("d/e/f")
            // As a union on top of this one writes it; the kernel keeps it under a longer name.
            let name = isBelow ? "trusted.overlay.overlay.given" : "trusted.overlay.given"
            for path in ["d/e", "d/e/f"] { try area.root.setAttribute(name, of: path, [1]) }
        }) { stage in
            try stage.act { area throws in
                for path in ["d/e", "d/e/f"] {
                    let file = try area.open(path)
                    #expect(try file.attribute("trusted.overlay.given") == [1])
                    try file.setAttribute("trusted.overlay.opaque", [UInt8(ascii: "y")])
                    try file.setAttribute("trusted.overlay.metacopy", [])
                    try file.setAttribute("trusted.overlay.overlay.twice", [2])
                    expectError(.ENODATA) { try file.removeAttribute("trusted.overlay.missing") }
                }
            }
            try stage.beforeAndAfterRemount { area throws in
                for path in ["d/e", "d/e/f"] {
                    let file = try area.open(path)
                    #expect(
                        try names(of: file) == [
                            "trusted.overlay.given", "trusted.overlay.metacopy", "trusted.overlay.opaque",
                            "trusted.overlay.overlay.twice",
                        ])
                    #expect(try file.attribute("trusted.overlay.opaque") == [UInt8(ascii: "y")])
                    #expect(try file.attribute("trusted.overlay.overlay.twice") == [2])
                }
                // It means nothing to this union.
                #expect(try area.names("d/e") == ["f"])
                #expect(try area.text("d/e/f") == "text")
            }
        }
    }
}
