public import FoundationEssentials

/// Reading and writing of the specifications' documents.
///
/// Writing is deterministic, because digests name what is written: keys sorted, no white space, slashes as they are.
public enum JSON {
    /// The document of a value as bytes.
    public static func encode(_ value: some Encodable) throws(OCIError) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return try encoder.encode(value)
        } catch {
            throw OCIError(.badDocument, "cannot write a \(type(of: value)) as JSON: \(error)")
        }
    }

    /// The document of a value, indented for people to read.
    public static func encodePretty(_ value: some Encodable) throws(OCIError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            throw OCIError(.badDocument, "cannot write a \(type(of: value)) as JSON: \(error)")
        }
    }

    /// Reads a document; `badDocument` when it is not JSON or lacks what the type needs.
    public static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws(OCIError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch let error as DecodingError {
            throw OCIError(.badDocument, "cannot read a \(type): \(explanation(error))")
        } catch let error as OCIError {
            throw OCIError(.badDocument, "cannot read a \(type): \(error.message)")
        } catch {
            throw OCIError(.badDocument, "cannot read a \(type): \(error)")
        }
    }

    private static func explanation(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context): "\(path(context)) has no \"\(key.stringValue)\""
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "\(path(context)) has the wrong type"
        case .dataCorrupted(let context):
            (context.underlyingError as? OCIError)?.message ?? "\(path(context)): \(context.debugDescription)"
        @unknown default: "\(error)"
        }
    }

    private static func path(_ context: DecodingError.Context) -> String {
        let keys = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
        return keys.isEmpty ? "the document" : String(keys.drop { $0 == "." })
    }
}
