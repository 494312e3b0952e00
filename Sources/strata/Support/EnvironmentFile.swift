import Linux

/// Files of `--env-file`.
enum EnvironmentFile {
    /// `NAME=value` or `NAME` on each line; empty lines and those that begin with `#` are left out.
    static func read(_ path: String) throws(CommandError) -> [String] {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try FileDescriptor.open(path).readAll(limit: 1 << 24)
        } catch {
            throw CommandError(.notFound, "cannot read the file of variables \(path): \(error)")
        }
        var result: [String] = []
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let entry = line.drop { $0 == " " || $0 == "\t" }
            if entry.isEmpty || entry.hasPrefix("#") { continue }
            let name = entry.prefix { $0 != "=" }
            if name.isEmpty || name.contains(where: \.isWhitespace) {
                throw CommandError(.usage, "invalid variable \"\(entry)\" in \(path): names have no blanks")
            }
            result.append(String(entry))
        }
        return result
    }
}
