import Linux
import OCI
import Runtime

/// A directory or a file of the host's that commands of a build see (`--volume`). It is in no layer; its place in the
/// image, where that is missing, neither. Which one it is counts for the cache, its content does not.
public struct BuildVolume: Hashable, Sendable {
    /// Where it is, and where commands see it.
    public var source: String
    public var target: String
    public var isReadOnly: Bool
    private var isDirectory: Bool

    /// Reads `SOURCE:TARGET[:ro]`, both absolute.
    ///
    /// - Throws: `badOption` for anything else, or a source that is not there.
    public static func parse(_ text: String) throws(BuildError) -> BuildVolume {
        let volume: VolumeMount
        do throws(RuntimeError) {
            volume = try VolumeMount.parse(text) { "" }
        } catch {
            throw BuildError(.badOption, saying: error)
        }
        guard case .host(let path) = volume.source else {
            throw BuildError(
                .badOption, "invalid volume \"\(text)\": a build has no volumes with names",
                remedy: "write a directory of the host's with its full path")
        }
        let status: FileStatus
        do throws(Errno) {
            status = try FileDescriptor.currentDirectory.status(of: path, followSymlinks: true)
        } catch {
            throw BuildError(.badOption, "cannot use \(path) as a volume: \(error)")
        }
        return BuildVolume(
            source: path, target: volume.destination, isReadOnly: volume.readOnly, isDirectory: status.isDirectory)
    }

    private init(source: String, target: String, isReadOnly: Bool, isDirectory: Bool) {
        (self.source, self.target) = (source, target)
        (self.isReadOnly, self.isDirectory) = (isReadOnly, isDirectory)
    }

    var definition: [String] { ["volume", source, target, isReadOnly ? "ro" : "rw"] }
    var place: BuildMountPoint { BuildMountPoint(path: target, isDirectory: isDirectory) }
    var mount: RuntimeSpecification.Mount { .bind(source, at: target, readOnly: isReadOnly) }
}
