public import FoundationEssentials
import ImageStore
import OCI

/// What a step is made from, in parts that have names: what its cache key is the hash of.
///
/// It is stored beside the record of the step, so that a later build that did not find its own key can say what differs.
struct StepDescription: Codable, Sendable {
    /// One part.
    struct Part: Codable, Sendable, Hashable {
        /// What it is, as it is called in a sentence.
        var name: String
        var value: String
        /// Whether the value may be shown: not that of a variable.
        var isShown: Bool

        init(_ name: String, shown value: String) { (self.name, self.value, isShown) = (name, value, true) }

        /// A part of whose value only the hash is kept.
        init(_ name: String, hidden value: String) {
            var hash = ShortHash()
            hash.add(value.utf8)
            (self.name, self.value, isShown) = (name, String(hash.value, radix: 36), false)
        }

        private enum CodingKeys: String, CodingKey {
            case name = "n"
            case value = "v"
            case isShown = "s"
        }
    }

    /// The instruction as written, in one line.
    var instruction: String
    var parts: [Part] = []
    /// The image that all stands on.
    var base: Part?
    /// Files, as `FileManifest` has them.
    var files = Data()

    /// As the store keeps it.
    ///
    /// - Parameter parent: the key of what the step stands on.
    func stored(on parent: CacheKey) -> StepInputs {
        StepInputs(
            parent: parent.digest.hex, text: Self.name(of: instruction), data: (try? JSON.encode(self)) ?? Data())
    }

    /// The form in which instructions are looked for.
    static func name(of instruction: String) -> String { Digest.sha256(of: instruction).hex }

    /// Adds variables, `NAME=value`.
    mutating func add(_ variables: [String], as kind: String) {
        for variable in variables {
            let words = variable.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            parts.append(Part("\(kind) \(words.first ?? "")", hidden: String(words.count == 2 ? words[1] : "")))
        }
    }

    // MARK: Comparing

    /// What differs from an earlier step, a sentence for each part.
    func differences(from earlier: StepDescription) -> [String] {
        var result: [String] = []
        if instruction != earlier.instruction { result.append("the instruction was \(earlier.instruction)") }
        if base != earlier.base {
            result.append(
                "the base image is \(base?.name ?? "scratch") \(base?.value ?? "")"
                    + ", was \(earlier.base?.name ?? "scratch") \(earlier.base?.value ?? "")")
        }
        let old = Dictionary(earlier.parts.map { ($0.name, $0) }) { first, _ in first }
        let new = Dictionary(parts.map { ($0.name, $0) }) { first, _ in first }
        for part in parts {
            guard let before = old[part.name] else {
                result.append("the \(part.name) is new")
                continue
            }
            if before.value == part.value { continue }
            result.append(
                part.isShown
                    ? "the \(part.name) is \"\(part.value)\", was \"\(before.value)\"" : "the \(part.name) differs")
        }
        result += earlier.parts.filter { new[$0.name] == nil }.map { "the \($0.name) is not there any more" }
        let (before, now) = (FileManifest(bytes: Array(earlier.files)), FileManifest(bytes: Array(files)))
        result += now.differences(from: before)
        return result
    }
}

extension Builder {
    /// The instruction, as written and in one line, of a step whose `StepInputs.data` this is; nil for what is none.
    public static func instruction(of stepInputs: Data) -> String? {
        try? JSON.decode(StepDescription.self, from: stepInputs).instruction
    }
}
