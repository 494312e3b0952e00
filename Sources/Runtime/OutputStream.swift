/// Which of its two outputs a process wrote to. With a terminal there is only the first.
public enum OutputStream: String, Hashable, Codable, Sendable {
    case standardOutput = "stdout"
    case standardError = "stderr"
}

/// Takes what a process printed: the stream, and bytes that are valid during the call.
public typealias OutputHandler = (OutputStream, UnsafeRawBufferPointer) -> Void
