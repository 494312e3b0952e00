import ImageStore
import OCI

/// Why a stage does not look into the cache any more.
enum CacheBreak: Sendable, Hashable {
    /// `--no-cache-filter`
    case filter
    /// A step of the stage, or of one that it starts from, was carried out.
    case step(String)
}

/// What the cache said of a step.
enum CacheVerdict {
    case hit(StepCache.Hit)
    /// The cache was not asked.
    case notAsked
    /// Nothing is recorded for the step's key.
    case unknown
    /// There is a record, but what it names cannot be used.
    case unusable(String)
}

extension StepRunner {
    /// How many differing files or other parts are told.
    private static let shownDifferences = 10

    /// Asks the cache for a step.
    func verdict(on step: LayerStep, _ state: StageState) throws(BuildError) -> CacheVerdict {
        let isBroken = step.isIndependent ? state.isUncached : state.cacheBreak != nil
        guard usesCache, !isBroken else { return .notAsked }
        return try cache.look(for: step.key, on: try step.stack(in: state))
    }

    /// Says what the cache said and why, where the caller of the build wants to know.
    ///
    /// - Parameter parent: what the step stands on.
    func explain(
        _ verdict: CacheVerdict, _ step: StepDescription, on parent: CacheKey, _ state: StageState, _ number: Int
    ) throws(BuildError) {
        guard explainsCache else { return }
        for line in try explanation(verdict, step, on: parent, state) { reporter.note(number, "cache: \(line)") }
    }

    private func explanation(
        _ verdict: CacheVerdict, _ step: StepDescription, on parent: CacheKey, _ state: StageState
    ) throws(BuildError) -> [String] {
        switch verdict {
        case .hit(let hit): return ["found, made \(hit.created)"]
        case .notAsked:
            if !usesCache { return ["not asked, because of --no-cache"] }
            switch state.cacheBreak {
            case .step(let title)?: return ["not asked, because a step before was carried out: \(title)"]
            case .filter?: return ["not asked, because of --no-cache-filter"]
            case nil: return ["not asked"]
            }
        case .unusable(let reason): return ["missed: \(reason)"]
        case .unknown: break
        }
        guard let (what, earlier, created) = try nearest(to: step, on: parent) else {
            return ["missed: no earlier step has this instruction or stands at this place"]
        }
        var differences = step.differences(from: earlier.step)
        if differences.isEmpty {
            // Nothing that has a name: what it stands on was told if that is an image.
            differences = [
                earlier.parent == parent.digest.hex
                    ? "nothing that is recorded differs" : "the files that the step before left differ"
            ]
        }
        var lines = ["missed, compared with \(what) of \(created)"]
        lines += differences.prefix(Self.shownDifferences)
        if differences.count > Self.shownDifferences {
            lines.append("and \(differences.count - Self.shownDifferences) more")
        }
        return lines
    }

    /// The last step that a step is best compared with: the same instruction at the same place, or elsewhere, or another
    /// one at that place.
    private func nearest(
        to step: StepDescription, on parent: CacheKey
    ) throws(BuildError) -> (what: String, earlier: (step: StepDescription, parent: String), created: String)? {
        let (place, text) = (parent.digest.hex, StepDescription.name(of: step.instruction))
        let searches: [(String, String?, String?)] = [
            ("the same step", place, text), ("the same instruction", nil, text),
            ("another instruction at this place", place, nil),
        ]
        for (what, parent, text) in searches {
            let found = try fromStore { () throws(StoreError) in try cache.store.stepInputs(parent: parent, text: text)
            }
            guard let found, let earlier = try? JSON.decode(StepDescription.self, from: found.data) else { continue }
            return (what, (earlier, found.parent), found.created)
        }
        return nil
    }
}
