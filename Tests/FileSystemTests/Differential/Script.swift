import Linux

/// Everything that a run takes, as operations: how its lower layers are made, and what is done on the mounts.
///
/// The text has one operation in each line, and before them `layer`, `layer elsewhere` (on another file system), `layer by
/// kernel`, `layer by strata` (one that was the upper directory of such a mount) or `run`.
struct Script: Sendable, CustomStringConvertible {
    enum Line: Sendable, Equatable {
        case layer(Maker)
        case run
        case operation(Operation)
    }

    enum Maker: String, Sendable {
        /// By hand, in the kernel's format.
        case hand = "layer"
        /// By hand, on another file system.
        case elsewhere = "layer elsewhere"
        /// By what was done on a mount of the layers below.
        case kernel = "layer by kernel"
        case strata = "layer by strata"
    }

    struct Layer: Sendable {
        var maker: Maker
        var operations: [Operation] = []
    }

    var layers: [Layer]
    var operations: [Operation]

    init(layers: [Layer] = [], operations: [Operation] = []) {
        self.layers = layers
        self.operations = operations
    }

    init(_ lines: [Line]) {
        self.init()
        var isRun = false
        for line in lines {
            switch line {
            case .layer(let maker): layers.append(Layer(maker: maker))
            case .run: isRun = true
            case .operation(let operation) where isRun: operations.append(operation)
            case .operation(let operation):
                if layers.isEmpty { layers.append(Layer(maker: .hand)) }
                layers[layers.count - 1].operations.append(operation)
            }
        }
        if layers.isEmpty { layers.append(Layer(maker: .hand)) }
    }

    /// Reads a script; a line that means nothing is an error, so that a regression test cannot lose one by a slip.
    init(text: String) throws {
        var lines: [Line] = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").joined(separator: " ")
            if words.isEmpty { continue }
            if let maker = Maker(rawValue: words) {
                lines.append(.layer(maker))
            } else if words == "run" {
                lines.append(.run)
            } else if let operation = Operation(words) {
                lines.append(.operation(operation))
            } else {
                throw SetupFailure("no operation: \(line)")
            }
        }
        self.init(lines)
    }

    var lines: [Line] {
        layers.flatMap { [.layer($0.maker)] + $0.operations.map { .operation($0) } } + [.run]
            + operations.map { .operation($0) }
    }

    var description: String { lines.map(\.description).joined(separator: "\n") }
}

extension Script.Line: CustomStringConvertible {
    var description: String {
        switch self {
        case .layer(let maker): maker.rawValue
        case .run: "run"
        case .operation(let operation): "  \(operation)"
        }
    }
}
