/// A here-document: the lines between `<<NAME` and a line that is only `NAME`.
public struct Heredoc: Sendable, Hashable {
    /// The name, which `COPY` and `ADD` also use as the file's name.
    public var name: String
    /// The body, each line with its line feed; for `<<-NAME` without its leading tabs.
    public var content: String
    /// Whether `COPY` and `ADD` expand variables in the body, which they do unless the name is quoted.
    public var expands: Bool
    /// Whether it was written `<<-NAME`, so that leading tabs do not count.
    public var stripsTabs: Bool

    /// Makes a here-document.
    public init(name: String, content: String, expands: Bool = true, stripsTabs: Bool = false) {
        self.name = name
        self.content = content
        self.expands = expands
        self.stripsTabs = stripsTabs
    }
}

/// A `<<NAME` in the text of an instruction.
struct HeredocMark: Sendable, Equatable {
    var name: String
    var quoted: Bool
    var stripsTabs: Bool
    /// Where the mark stands in the logical line.
    var range: Range<Int>

    /// The marks in the text of a shell command, in order.
    ///
    /// A mark starts a word, with or without the number of a descriptor, as Docker has it; like in a shell it ends
    /// at a blank or an operator. Quotes, escapes, `<<<` and arithmetic (`$((1 <<2))`) hold no marks.
    static func find(in bytes: ArraySlice<UInt8>, escape: UInt8) -> [HeredocMark] {
        var marks: [HeredocMark] = []
        var index = bytes.startIndex
        var quote: UInt8?
        var arithmetic = 0
        var atWordStart = true
        while index < bytes.endIndex {
            let byte = bytes[index]
            if let open = quote {
                if byte == escape, open == ASCII.quote { index += 1 }
                if byte == open { quote = nil }
                index += 1
                continue
            }
            if atWordStart, arithmetic == 0, let mark = HeredocMark(in: bytes[index...]) {
                marks.append(mark)
                index = mark.range.upperBound
                atWordStart = false
                continue
            }
            atWordStart = ASCII.isBlank(byte)
            switch byte {
            case escape: index += 1
            case ASCII.quote, ASCII.apostrophe: quote = byte
            case ASCII.dollar where bytes[(index + 1)...].starts(with: "((".utf8):
                arithmetic += 1
                index += 2
            case ASCII.closeParenthesis where arithmetic > 0 && bytes[(index + 1)...].first == byte:
                arithmetic -= 1
                index += 1
            default: break
            }
            index += 1
        }
        return marks
    }

    /// The mark that this text starts with, if it does.
    private init?(in bytes: ArraySlice<UInt8>) {
        var rest = bytes.drop(while: ASCII.isDigit)
        guard rest.starts(with: "<<".utf8) else { return nil }
        rest = rest.dropFirst(2)
        let strips = rest.first == ASCII.dash
        if strips { rest = rest.dropFirst() }
        var name: [UInt8] = []
        var quoted = false
        scan: while let byte = rest.first {
            switch byte {
            case ASCII.quote, ASCII.apostrophe:
                let body = rest.dropFirst().prefix { $0 != byte }
                guard body.endIndex < rest.endIndex else { return nil }
                quoted = true
                name += body
                rest = rest[(body.endIndex + 1)...]
                continue
            case ASCII.backslash:
                quoted = true
                rest = rest.dropFirst()
                guard let next = rest.first else { return nil }
                name.append(next)
            case ASCII.less: return nil
            case UInt8(ascii: ">"), UInt8(ascii: "|"), UInt8(ascii: "&"), UInt8(ascii: ";"),
                ASCII.openParenthesis, ASCII.closeParenthesis:
                break scan
            default:
                if ASCII.isBlank(byte) { break scan }
                name.append(byte)
            }
            rest = rest.dropFirst()
        }
        guard !name.isEmpty else { return nil }
        self.name = name.text
        self.quoted = quoted
        stripsTabs = strips
        range = bytes.startIndex..<rest.startIndex
    }
}
