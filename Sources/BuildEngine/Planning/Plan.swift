public import Dockerfile
import OCI

/// Which stages of a Dockerfile are built, and in which order.
public struct Plan: Sendable {
    /// The stages with their bases.
    public let graph: StageGraph
    /// The stage that becomes the image.
    public let target: Int
    /// The stages to build, each behind those that it needs.
    public let order: [Int]
    /// Whether stages are told apart by name in what is shown.
    let namesStages: Bool

    /// Finds out what a target needs; other stages are left alone.
    ///
    /// - Parameter target: the name or number of a stage; nil for the last.
    /// - Throws: `dockerfile`.
    public init(
        _ document: DockerfileDocument, arguments: BuildArguments, target: String?
    ) throws(BuildError) {
        let (graph, index) = try fromDockerfile { () throws(DockerfileError) in
            let graph = try document.resolve(arguments: arguments)
            return (graph, try graph.index(ofTarget: target))
        }
        self.graph = graph
        self.target = index
        order = graph.order(for: index)
        namesStages = order.count > 1
    }

    /// The name under which a stage is shown; nil where there is only one.
    func displayName(of index: Int) -> String? {
        guard namesStages else { return nil }
        return graph.nodes[index].stage.name ?? "stage-\(index)"
    }
}

extension Instruction {
    /// Whether the instruction is a step of its own in what is shown: those that work on files are.
    var isStep: Bool {
        switch operation {
        case .run, .copy, .add, .workingDirectory: true
        default: false
        }
    }
}
