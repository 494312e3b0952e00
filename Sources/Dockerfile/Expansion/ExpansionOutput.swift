/// What an expansion has produced so far: as one text and as words.
struct ExpansionOutput {
    private(set) var joined: [UInt8] = []
    private(set) var words: [[UInt8]] = []
    private var inWord = false

    /// A byte that separates words if it is blank.
    mutating func append(_ byte: UInt8) {
        if ASCII.isBlank(byte) {
            joined.append(byte)
            inWord = false
        } else {
            appendQuoted(byte)
        }
    }

    /// A byte that belongs to the word whatever it is.
    mutating func appendQuoted(_ byte: UInt8) {
        openWord()
        joined.append(byte)
        words[words.count - 1].append(byte)
    }

    /// Makes sure that there is a word, so that `""` is one.
    mutating func openWord() {
        if !inWord { words.append([]) }
        inWord = true
    }
}
