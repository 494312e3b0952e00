package import OCI

/// Why the engine does not do what was asked for. Failures of the modules below come through as they are.
package struct EngineError: DescribedError, Hashable {
    /// The kind of fault, to be compared by programs.
    package enum Code: Hashable, Sendable {
        /// The request does not make sense.
        case badRequest
        /// What was named does not exist.
        case notFound
        /// Something stands in the way, such as a user of what was to be removed.
        case conflict
        /// The work was begun and failed.
        case failed
    }

    /// The kind of fault.
    package var code: Code
    /// One sentence: what was attempted on which object, and why it failed.
    package var message: String
    /// What the user may do about it, where that is known.
    package var remedy: String?

    /// Makes an error from its parts.
    package init(_ code: Code, _ message: String, remedy: String? = nil) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }
}

extension Reference {
    /// A name that an image can be given: one without a digest.
    ///
    /// - Parameter attempt: what the name is for, such as "import as web".
    package init(naming text: String, to attempt: String) throws {
        try self.init(parsing: text)
        if digest != nil {
            throw EngineError(.badRequest, "cannot \(attempt): a name with a digest cannot be given")
        }
    }
}
