package import OCI

/// Why the engine does not do what was asked for. Failures of the modules below come through as they are.
package typealias EngineError = Failure<EngineFault>

/// The kinds of faults of `EngineError`.
package enum EngineFault: Hashable, Sendable {
    /// The request does not make sense.
    case badRequest
    /// What was named does not exist.
    case notFound
    /// Something stands in the way, such as a user of what was to be removed.
    case conflict
    /// The work was begun and failed.
    case failed
}

extension Reference {
    /// A name that an image can be given: one without a digest.
    ///
    /// - Parameter attempt: what the name is for, such as "import as web".
    package init(naming text: String, to attempt: String) throws {
        try self.init(parsing: text)
        try requireNoDigest(to: attempt)
    }

    /// Refuses a name with a digest, which says what an image is and cannot be chosen.
    func requireNoDigest(to attempt: String) throws(EngineError) {
        if digest != nil {
            throw EngineError(.badRequest, "cannot \(attempt): a name with a digest cannot be given")
        }
    }
}
