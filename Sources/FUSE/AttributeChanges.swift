public import Linux
internal import CFuse

/// What a SETATTR request asks for: each value is nil where it is to stay as it is.
public struct AttributeChanges: Sendable {
    /// New mode; only its permission bits count.
    public var mode: UInt32?
    public var uid: UInt32?
    public var gid: UInt32?
    /// New size in bytes (truncate).
    public var size: UInt64?
    /// New access time, or `TimeSpec.now`.
    public var accessTime: TimeSpec?
    /// New modification time, or `TimeSpec.now`.
    public var modificationTime: TimeSpec?
    /// New change time: sent only with the writeback cache.
    public var changeTime: TimeSpec?
    /// The open file through which the change is made (`ftruncate`), if the kernel knows one.
    public var handle: HandleID?
    /// Set-user-id, set-group-id and file capabilities have to go (truncation by a caller without `CAP_FSETID`, with
    /// `Capabilities.handleKillPrivileges2`).
    public var killPrivileges: Bool

    /// Nothing asked for.
    ///
    /// The kernel sends such a request too: before a write through a backing file, when set-id bits or file
    /// capabilities have to go. See `asksForNothing`.
    public init() { killPrivileges = false }

    /// No attribute is to be set. With `Capabilities.handleKillPrivileges2` the kernel sends this when somebody without
    /// `CAP_FSETID` writes to a file with set-id bits or capabilities through a backing file: the server has to
    /// take those away, because the write itself does not pass by it.
    public var asksForNothing: Bool {
        mode == nil && uid == nil && gid == nil && size == nil && accessTime == nil && modificationTime == nil
            && changeTime == nil
    }

    init(_ raw: cfuse_setattr_in) {
        let valid = raw.valid
        func has(_ bit: UInt32) -> Bool { valid & bit != 0 }
        func time(_ seconds: UInt64, _ nanoseconds: UInt32) -> TimeSpec {
            TimeSpec(seconds: Int64(bitPattern: seconds), nanoseconds: Int64(nanoseconds))
        }
        mode = has(1 << 0) ? raw.mode : nil
        uid = has(1 << 1) ? raw.uid : nil
        gid = has(1 << 2) ? raw.gid : nil
        size = has(1 << 3) ? raw.size : nil
        accessTime = has(1 << 7) ? .now : has(1 << 4) ? time(raw.atime, raw.atimensec) : nil
        modificationTime = has(1 << 8) ? .now : has(1 << 5) ? time(raw.mtime, raw.mtimensec) : nil
        changeTime = has(1 << 10) ? time(raw.ctime, raw.ctimensec) : nil
        handle = has(1 << 6) ? HandleID(rawValue: raw.fh) : nil
        killPrivileges = has(1 << 11)
    }
}
