internal import FUSE
internal import Glibc
internal import Linux

// Extended attributes as programs see them. Those of the union itself are hidden; a program's own under the same
// prefix, as a union on top of this one writes them, are kept under a longer one, which the kernel's overlay does too.
extension Union {
    private static let capability: StaticString = "security.capability"

    /// Longest name (XATTR_NAME_MAX).
    private static let longestAttributeName = 255

    /// Reads a value into a buffer and returns its size; an empty buffer asks for the size alone.
    func getxattr(
        _ node: Node, _ name: Name, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        guard configuration.hasExtendedAttributes else { throw .EOPNOTSUPP }
        if let successor = successor(of: node) { return try getxattr(successor, name, into: buffer) }
        let isCapability = name.equals(Self.capability)
        if isCapability && node.flags.contains(.noCapability) { throw .ENODATA }
        if let descriptor = removedDescriptor(node) {
            return try withStoredName(name) { (name: UnsafePointer<CChar>) throws(Errno) in
                try descriptor.value.attribute(name, into: buffer)
            }
        }
        do throws(Errno) {
            return try withStoredName(name) { (name: UnsafePointer<CChar>) throws(Errno) in
                try withObject(node) { (place: borrowing Place) throws(Errno) in
                    try place.directory.attribute(name, of: place.path, into: buffer)
                }
            }
        } catch {
            // `ls` asks each file for its label, until it is told that there are no such things here.
            if error == .ENODATA && name.equals("security.selinux") { throw .EOPNOTSUPP }
            if error == .ENODATA && isCapability { node.set(.noCapability) }
            // Removed in between.
            if removedDescriptor(node) != nil { return try getxattr(node, name, into: buffer) }
            throw error
        }
    }

    /// Lists the names into a buffer and returns their size in bytes. `trusted.` names are for the privileged only.
    func listxattr(
        _ node: Node, _ request: Request, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        guard configuration.hasExtendedAttributes else { return 0 }
        if let successor = successor(of: node) { return try listxattr(successor, request, into: buffer) }
        let descriptor = removedDescriptor(node)
        return try withMemory(1 << 16) { (list: UnsafeMutableRawBufferPointer) throws(Errno) -> Int in
            let count: Int
            if let descriptor {
                count = try descriptor.value.attributeNames(into: list)
            } else {
                count = try withObject(node) { (place: borrowing Place) throws(Errno) in
                    try place.directory.attributeNames(of: place.path, into: list)
                }
            }
            return try filter(UnsafeRawBufferPointer(rebasing: list[..<count]), request, into: buffer)
        }
    }

    private func filter(
        _ list: UnsafeRawBufferPointer, _ request: Request, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        let marks = stack.marks
        let (prefix, escaped) = (marks.prefix.utf8CodeUnitCount, marks.escapedPrefix.utf8CodeUnitCount)
        var used = 0
        var overflow = false
        func append(_ bytes: UnsafeRawBufferPointer) {
            if !buffer.isEmpty {
                if used + bytes.count > buffer.count {
                    overflow = true
                    return
                }
                UnsafeMutableRawBufferPointer(rebasing: buffer[used...]).copyMemory(from: bytes)
            }
            used += bytes.count
        }
        forEachName(list) { name in
            if name.hasPrefix("trusted.") && request.uid != ownUser { return }
            let withZero = UnsafeRawBufferPointer(start: name.pointer, count: name.length + 1)
            if name.hasPrefix(marks.escapedPrefix) {
                append(marks.prefix.text.bytes)
                append(UnsafeRawBufferPointer(rebasing: withZero[escaped...]))
            } else if !name.hasPrefix(marks.prefix) || name.length == prefix {
                append(withZero)
            }
        }
        if overflow { throw .ERANGE }
        return used
    }

    /// Sets an attribute; `flags` are those of setxattr(2).
    func setxattr(
        _ node: Node, _ name: Name, _ value: UnsafeRawBufferPointer, flags: Int32, killSetGroupID: Bool
    ) throws(Errno) {
        guard configuration.hasExtendedAttributes else { throw .EOPNOTSUPP }
        guard let mode = AttributeWrite(rawValue: flags) else { throw .EINVAL }
        _ = try writable()
        // Before and after: a question in between may have found none.
        node.clear(.noCapability)
        defer { node.clear([.noCapability, .plain]) }
        if let successor = successor(of: node) {
            try setxattr(successor, name, value, flags: flags, killSetGroupID: killSetGroupID)
            return changed(successorOf: node)
        }
        try unlessRemoved(node) { () throws(Errno) in try copyUp(node) }
        if node.isRemoved {
            let file = try node.lock.with { () throws(Errno) in try changeableRemains(of: node, .attributes) }
            return try withStoredName(name) { (name: UnsafePointer<CChar>) throws(Errno) in
                try file.value.setAttribute(name, value, mode: mode)
            }
        }
        try withStoredName(name) { (stored: UnsafePointer<CChar>) throws(Errno) in
            try withObject(node) { (place: borrowing Place) throws(Errno) in
                try place.directory.setAttribute(stored, of: place.path, value, mode: mode)
                if killSetGroupID {
                    let status = try place.status()
                    try place.directory.setMode(of: place.path, status.permissions & ~UInt32(0o2000))
                }
            }
        }
        defaultACLMayHaveChanged(node, name)
    }

    /// Removes an attribute.
    func removexattr(_ node: Node, _ name: Name) throws(Errno) {
        guard configuration.hasExtendedAttributes else { throw .EOPNOTSUPP }
        _ = try writable()
        if let successor = successor(of: node) {
            try removexattr(successor, name)
            return changed(successorOf: node)
        }
        if node.isRemoved {
            // Nothing is copied for an attribute that is not there.
            _ = try getxattr(node, name, into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
            let file = try node.lock.with { () throws(Errno) in try changeableRemains(of: node, .attributes) }
            return try withStoredName(name) { (name: UnsafePointer<CChar>) throws(Errno) in
                try file.value.removeAttribute(name)
            }
        }
        if !node.isUpper {
            // Nothing is copied for an attribute that is not there.
            _ = try getxattr(node, name, into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
            try copyUp(node)
        }
        try withStoredName(name) { (stored: UnsafePointer<CChar>) throws(Errno) in
            try withObject(node) { (place: borrowing Place) throws(Errno) in
                try place.directory.removeAttribute(stored, of: place.path)
            }
        }
        defaultACLMayHaveChanged(node, name)
    }

    private func defaultACLMayHaveChanged(_ node: Node, _ name: Name) {
        if name.equals("system.posix_acl_default") { node.clear([.defaultACL, .defaultACLKnown]) }
    }

    /// What has the attributes of a file without a name, if it is open; nil for one with a name.
    func removedDescriptor(_ node: Node) -> SharedDescriptor? {
        node.isRemoved ? node.lock.with { node.file?.attributeSource } : nil
    }

    /// The name under which a program's attribute is stored.
    private func withStoredName<Result: ~Copyable>(
        _ name: Name, _ body: (UnsafePointer<CChar>) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        if name.length > Self.longestAttributeName { throw .ERANGE }
        let marks = stack.marks
        guard name.hasPrefix(marks.prefix) else { return try body(name.pointer) }
        let (prefix, escaped) = (marks.prefix.utf8CodeUnitCount, marks.escapedPrefix.utf8CodeUnitCount)
        let length = name.length - prefix + escaped
        if length > Self.longestAttributeName { throw .EOPNOTSUPP }
        let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: length + 1)
        defer { buffer.deallocate() }
        buffer.update(from: marks.escapedPrefix.cString, count: escaped)
        (buffer + escaped).update(from: name.pointer + prefix, count: name.length - prefix)
        buffer[length] = 0
        return try body(buffer)
    }
}
