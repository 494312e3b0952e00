import Glibc
import Linux

extension Player {
    /// More bytes than files have here.
    static let wholeFile = 1 << 19

    func performOnData(_ operation: Operation) throws -> String {
        let path = operation.text(0)
        switch operation.verb {
        case .create:
            let flags = OpenFlags(words: operation.text(1)).union([.writeOnly, .create, .nonBlocking])
            let file = try area.open(path, flags, mode: operation.mode(2))
            if try file.status().isRegular { try file.writeAll(text(operation, operation.number(3))) }
        case .write:
            let file = try area.open(path, [.writeOnly, .nonBlocking])
            try file.write(text(operation, operation.number(2)), at: Int64(operation.number(1)))
        case .append:
            let file = try area.open(path, [.writeOnly, .append, .nonBlocking])
            try file.writeAll(text(operation, operation.number(1)))
        case .truncate: try truncateFile("/proc/self/fd/\(area.root.rawValue)/\(path)", to: operation.number(1))
        case .fallocate:
            try allocate(area.open(path, [.readWrite, .nonBlocking]), operation)
        case .read:
            // A pipe would have us wait, and a device has no end worth reading to.
            let file = try area.open(path, .nonBlocking)
            if try !file.status().isRegular { return "not regular" }
            return describe(try file.readAll())
        case .map:
            let file = try area.open(path, .nonBlocking)
            return try map(file)
        case .mapwrite:
            return try mapAndWrite(area.open(path, [.readWrite, .nonBlocking]), operation)
        case .copy:
            // The writer first: a reader that was there before a copy-up may go on seeing the file as it was then.
            let sink = try area.open(operation.text(1), [.writeOnly, .nonBlocking])
            let source = try area.open(path, .nonBlocking)
            if try !sink.status().isRegular || !source.status().isRegular { return "not regular" }
            let (from, to) = (Int64(operation.number(2)), Int64(operation.number(3)))
            return try copy(source, from, sink, to, operation.number(4))
        case .tmpfile:
            let file = try area.open(path, [.temporaryFile, .readWrite], mode: 0o640)
            try file.writeAll(text(operation, 30))
            try file.makeLink(in: area.root, at: operation.text(1))
        default: throw SetupFailure("\(operation) is not about data")
        }
        return ""
    }

    /// As cp(1) copies: the kernel's overlay does not copy from one file system to another by itself.
    private func copy(
        _ source: borrowing FileDescriptor, _ from: Int64, _ sink: borrowing FileDescriptor, _ to: Int64, _ length: Int
    ) throws -> String {
        do throws(Errno) {
            return String(try source.copyRange(from: from, to: sink, at: to, length: length))
        } catch {
            if error != .EXDEV { throw error }
        }
        let bytes = try source.bytes(at: from, count: length)
        _ = try bytes.withUnsafeBytes { try sink.write($0, at: to) }
        return String(bytes.count)
    }

    func allocate(_ file: borrowing FileDescriptor, _ operation: Operation) throws {
        let modes: [String: Int32] = ["plain": 0, "keep": 1, "punch": 3, "zero": 0x10, "zerokeep": 0x11]
        try file.allocate(
            mode: modes[operation.text(1)] ?? 0, offset: Int64(operation.number(2)), length: Int64(operation.number(3)))
    }

    func map(_ file: borrowing FileDescriptor) throws -> String {
        let status = try file.status()
        guard status.isRegular, status.size > 0 else { return "nothing to map" }
        let mapping = try Mapping(file, length: Int(status.size), writable: false, shared: true)
        return describe(Array(mapping.text(count: Int(status.size)).utf8))
    }

    private func mapAndWrite(_ file: borrowing FileDescriptor, _ operation: Operation) throws -> String {
        let status = try file.status()
        guard status.isRegular, status.size > 0 else { return "nothing to map" }
        let mapping = try Mapping(file, length: Int(status.size), writable: true, shared: true)
        // At least one byte is within the file.
        mapping.store(text(operation, operation.number(2)), at: operation.number(1) % Int(status.size))
        try mapping.sync()
        return ""
    }

    // MARK: Open files

    func performOnSlot(_ operation: Operation) throws -> String {
        let slot = operation.number(0)
        switch operation.verb {
        case .open: return try openSlot(operation)
        case .close:
            files[slot] = nil
            return ""
        default: break
        }
        guard let open = files[slot] else { return "not open" }
        switch operation.verb {
        case .fread:
            return describe(try open.file.bytes(at: Int64(operation.number(1)), count: operation.number(2)))
        case .fwrite: try open.file.write(text(operation, operation.number(2)), at: Int64(operation.number(1)))
        case .ftruncate: try open.file.truncate(to: Int64(operation.number(1)))
        case .fallocateslot: try allocate(open.file, operation)
        case .fmap: return try map(open.file)
        case .fstat: return describe(try open.file.status())
        case .fsync: try open.file.sync(dataOnly: operation.text(1) == "data")
        case .flock: return try lock(open.file, operation.text(1))
        case .flink: try open.file.makeLink(in: area.root, at: operation.text(1))
        case .fchmod: try open.file.setMode(operation.mode(1))
        case .fchown: try open.file.setOwner(uid: UInt32(operation.number(1)), gid: UInt32(operation.number(2)))
        case .futimens:
            try open.file.setTimes(access: time(operation.number(1)), modification: time(operation.number(1)))
        case .fsetxattr:
            try open.file.setAttribute(operation.text(1), value(operation, 2), mode: write(operation.text(3)))
        case .fgetxattr: return describe(try open.file.attribute(operation.text(1)))
        default: throw SetupFailure("\(operation) is not about an open file")
        }
        return ""
    }

    private func openSlot(_ operation: Operation) throws -> String {
        let slot = operation.number(0)
        files[slot] = nil
        let flags = OpenFlags(words: operation.text(2)).union(.nonBlocking)
        let file = try area.open(operation.text(1), flags, mode: operation.mode(3))
        let status = try file.status()
        if !status.isRegular { return "not regular" }
        let open = OpenFile(file, canWrite: flags.canWrite)
        if !open.canWrite {
            open.contents = describe(try open.file.bytes(at: 0, count: Self.wholeFile))
            open.status = describe(status)
        }
        files[slot] = open
        return open.contents
    }

    private func lock(_ file: borrowing FileDescriptor, _ word: String) throws -> String {
        if word == "un" {
            let number = file.rawValue
            return flock(number, LOCK_UN) == 0 ? "" : "\(Errno.current)"
        }
        return try file.lock(exclusive: word == "ex", blocking: false) ? "locked" : "another holds it"
    }

    // MARK: Directories

    func performOnDirectory(_ operation: Operation) throws -> String {
        let slot = operation.number(0)
        switch operation.verb {
        case .opendir:
            directories[slot] = nil
            directories[slot] = OpenFile(try area.open(operation.text(1), [.directory]), canWrite: false)
        case .closedir: directories[slot] = nil
        default:
            guard let open = directories[slot] else { return "not open" }
            return try list(open.file)
        }
        return ""
    }

    /// The names in a directory, after a seek to its start, and whether a seek to the middle finds the rest again.
    func list(_ directory: borrowing FileDescriptor) throws -> String {
        _ = try directory.seek(0, from: .start)
        var entries: [(name: String, next: Int64)] = []
        try directory.forEachEntry { (entry: DirectoryEntry) throws(Errno) in
            entries.append((Self.name(entry), entry.nextOffset))
            return true
        }
        let names = entries.map(\.name)
        if names.count > 1 {
            let middle = names.count / 2
            _ = try directory.seek(entries[middle - 1].next, from: .start)
            var rest: [String] = []
            try directory.forEachEntry { (entry: DirectoryEntry) throws(Errno) in
                rest.append(Self.name(entry))
                return true
            }
            if rest != Array(names[middle...]) {
                return "of \(names) there is only \(rest) after a seek behind \(names[middle - 1])"
            }
        }
        return names.sorted().joined(separator: " ")
    }

    private static func name(_ entry: DirectoryEntry) -> String {
        String(decoding: entry.bytes.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
