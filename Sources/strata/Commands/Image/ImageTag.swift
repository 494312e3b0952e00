import ArgumentParser
import Engine

/// `strata tag`
struct Tag: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tag", abstract: "Give an image another name.",
        discussion: "EXAMPLE: strata tag web registry.example.org/team/web:1.0")

    @OptionGroup var globals: GlobalOptions

    @Argument(help: "The image: a name, an ID or the beginning of one.")
    var source: String

    @Argument(help: "The new name, with a tag unless it is to be 'latest'.")
    var target: String

    func run() throws { try globals.openEngine().tag(source, as: target) }
}
