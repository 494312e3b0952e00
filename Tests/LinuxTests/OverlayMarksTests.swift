import Linux
import Testing

/// The names under which overlays keep their notes: the literals say what their parts say.
@Suite struct OverlayMarksTests {
    @Test(arguments: [OverlayMarks.trusted, .user])
    func namesAreMadeOfPrefixAndNote(_ marks: OverlayMarks) {
        #expect("\(marks.prefix)" == marks.rawValue + ".overlay.")
        #expect("\(marks.escapedPrefix)" == "\(marks.prefix)overlay.")
        for mark in OverlayMarks.Mark.allCases {
            #expect("\(marks.literal(mark))" == "\(marks.prefix)" + mark.rawValue)
            #expect(marks.name(mark) == Self.cString("\(marks.prefix)" + mark.rawValue))
            #expect(marks.isMark(marks.name(mark)))
            #expect(marks.shown(marks.name(mark)) == nil)
        }
    }

    @Test(arguments: ["user.overlay.opaque", "user.overlay.overlay.x", "user.overlay."])
    func attributesOfProgramsComeBack(_ name: String) {
        let name = Self.cString(name)
        let stored = OverlayMarks.user.stored(name)
        #expect(stored == Self.cString("user.overlay.overlay.").dropLast() + name.dropFirst("user.overlay.".utf8.count))
        #expect(!OverlayMarks.user.isMark(stored))
        #expect(OverlayMarks.user.shown(stored) == name)
        #expect(OverlayMarks.trusted.stored(name) == name)
        #expect(OverlayMarks.trusted.shown(name) == name)
    }

    @Test func otherNamesStayAsTheyAre() {
        for text in ["user.overlay", "user.overlaX.opaque", "trusted.x", ""] {
            let name = Self.cString(text)
            #expect(OverlayMarks.user.stored(name) == name)
            #expect(OverlayMarks.user.shown(name) == name)
            #expect(!OverlayMarks.user.isMark(name))
        }
    }

    private static func cString(_ text: String) -> [CChar] { text.utf8.map { CChar(bitPattern: $0) } + [0] }
}
