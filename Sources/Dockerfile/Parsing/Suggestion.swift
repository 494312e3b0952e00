/// Finds what was likely meant by a word that is not known.
enum Suggestion {
    /// The candidate that is nearest to a word, if it is near enough to be meant.
    static func nearest(to word: String, in candidates: [String]) -> String? {
        let typed = Array(word.utf8.prefix(64))
        let ranked = candidates.map { (name: $0, distance: distance(typed, Array($0.utf8))) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(1, best.name.utf8.count / 3) ? best.name : nil
    }

    /// The candidate that Docker's checks suggest for a word: the first of the nearest, at most two letters away; none
    /// if the word itself is among them.
    static func likely(_ word: String, in candidates: [String]) -> String? {
        guard !candidates.contains(word) else { return nil }
        let typed = Array(word.utf8)
        var best: (name: String, distance: Int)?
        for candidate in candidates where abs(candidate.utf8.count - typed.count) < 3 {
            let distance = distance(typed, Array(candidate.utf8), swaps: false)
            if distance < best?.distance ?? 3 { best = (candidate, distance) }
        }
        return best?.name
    }

    /// The number of letters to insert, remove, change or swap with their neighbour.
    private static func distance(_ left: [UInt8], _ right: [UInt8], swaps: Bool = true) -> Int {
        var older = Array(repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for row in 0..<left.count {
            var current = Array(repeating: row + 1, count: right.count + 1)
            for column in 0..<right.count {
                let same = left[row] == right[column]
                var cost = min(last[column] + (same ? 0 : 1), last[column + 1] + 1, current[column] + 1)
                if swaps, row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    cost = min(cost, older[column - 1] + 1)
                }
                current[column + 1] = cost
            }
            older = last
            last = current
        }
        return last[right.count]
    }
}
