import Linux
import TestSupport
import Testing

/// Whiteouts in the form of an attribute, as an overlay leaves them that could make no device nodes: an empty file with
/// `overlay.whiteout` in a directory whose `overlay.opaque` is `x` (kernel 6.7).
@Suite struct WhiteoutFileTests {
    private static let subjects = Subject.allCases.filter { $0.isUnion && $0 != .strataUpper }
    private static let prefix = UserNamespace.isInside ? "user.overlay." : "trusted.overlay."

    private static func lowest(_ area: Area) throws {
        try area.directory("d")
        for name in ["gone", "shown", "other"] {
            try area.file("d/\(name)", "below")
            try area.file(name, "below")
        }
        try area.directory("d/tree")
        try area.file("d/tree/f", "below")
    }

    private static func middle(_ area: Area) throws {
        try area.ensureDirectory("d")
        for path in [".", "d"] { try area.root.setAttribute(prefix + "opaque", of: path, [UInt8(ascii: "x")]) }
        for path in ["gone", "d/gone", "d/tree", "d/alone"] {
            try area.file(path, "")
            try area.root.setAttribute(prefix + "whiteout", of: path, [UInt8(ascii: "y")])
        }
        // Neither of the two: one has content, the other no attribute.
        try area.file("d/shown", "above")
        try area.root.setAttribute(prefix + "whiteout", of: "d/shown", [UInt8(ascii: "y")])
        try area.file("d/other", "")
        try area.ensureDirectory("plain")
        try area.file("plain/f", "")
        try area.root.setAttribute(prefix + "whiteout", of: "plain/f", [UInt8(ascii: "y")])
    }

    @Test("they hide what lies below and are not shown", arguments: subjects)
    func hide(on subject: Subject) throws {
        try subject.stage(layers: [Self.lowest, Self.middle]) { stage in
            try stage.act { area throws in
                #expect(try area.names() == ["d", "other", "plain", "shown"])
                #expect(try area.names("d") == ["other", "shown"])
                // In a directory without the mark such a file is a file.
                #expect(try area.names("plain") == ["f"])
                for path in ["gone", "d/gone", "d/tree", "d/tree/f", "d/alone"] {
                    #expect(try !area.exists(path), "\(path)")
                }
                #expect(try area.text("d/shown") == "above")
                #expect(try area.text("d/other") == "")
                try area.file("d/gone", "new")
                try area.directory("d/tree")
                #expect(try area.names("d/tree") == [])
                try area.remove("d/shown")
                try area.remove("d/other")
            }
            try stage.beforeAndAfterRemount { area throws in
                #expect(try area.names("d") == ["gone", "tree"])
                #expect(try area.text("d/gone") == "new")
                #expect(try area.names("d/tree") == [])
            }
            try stage.act { area throws in
                try area.remove("d/gone")
                try area.removeDirectory("d/tree")
                // The kernel's overlay (6.18) counts the marked files of the lower directory.
                if subject == .kernelOverlay { return }
                try area.removeDirectory("d")
                #expect(try !area.exists("d"))
            }
        }
    }
}
