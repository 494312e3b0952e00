public import Linux
internal import CFuse

/// The reply to operations that succeed or fail and have nothing else to say.
///
/// Must be answered exactly once, on the thread that received it; dropped unanswered it answers EIO. Each method
/// returns false where the kernel took no notice, because the caller was interrupted or the mount has gone.
public struct StatusReply: ~Copyable {
    private var core: ReplyCore

    init(_ core: consuming ReplyCore) { self.core = core }

    /// Answers that the operation failed.
    @discardableResult
    public consuming func error(_ error: Errno) -> Bool { core.status(error.rawValue) }

    /// Answers that the operation succeeded.
    @discardableResult
    public consuming func ok() -> Bool { core.status(0) }
}

/// The reply to operations that find or make a node.
///
/// Must be answered exactly once, on the thread that received it; dropped unanswered it answers EIO. Each method
/// returns false where the kernel took no notice, because the caller was interrupted or the mount has gone.
public struct EntryReply: ~Copyable {
    private var core: ReplyCore

    init(_ core: consuming ReplyCore) { self.core = core }

    /// Answers that the operation failed.
    @discardableResult
    public consuming func error(_ error: Errno) -> Bool { core.status(error.rawValue) }

    /// Answers with a node, or with `Entry.negative` to a lookup.
    @discardableResult
    public consuming func entry(_ entry: Entry) -> Bool { core.structure(entry.wire) }
}

/// The reply to getattr and setattr.
///
/// Must be answered exactly once, on the thread that received it; dropped unanswered it answers EIO. Each method
/// returns false where the kernel took no notice, because the caller was interrupted or the mount has gone.
public struct AttributesReply: ~Copyable {
    private var core: ReplyCore

    init(_ core: consuming ReplyCore) { self.core = core }

    /// Answers that the operation failed.
    @discardableResult
    public consuming func error(_ error: Errno) -> Bool { core.status(error.rawValue) }

    /// Answers with the attributes as they are now.
    @discardableResult
    public consuming func attributes(_ attributes: Attributes, timeout: Timeout = .unlimited) -> Bool {
        var out = cfuse_attr_out()
        out.attr_valid = timeout.seconds
        out.attr_valid_nsec = timeout.nanoseconds
        out.attr = attributes.wire
        return core.structure(out)
    }
}

/// The reply to open and opendir.
///
/// Must be answered exactly once, on the thread that received it; dropped unanswered it answers EIO. Each method
/// returns false where the kernel took no notice, because the caller was interrupted or the mount has gone.
public struct OpenReply: ~Copyable {
    private var core: ReplyCore

    init(_ core: consuming ReplyCore) { self.core = core }

    /// Answers that the operation failed.
    @discardableResult
    public consuming func error(_ error: Errno) -> Bool { core.status(error.rawValue) }

    /// Answers that the file is open.
    ///
    /// With a backing id the kernel reads and writes that file itself; all opens of a node that are open at one time
    /// must name the same one. Flags of the page cache (`keepCache`) mean nothing then. ENOSYS instead (`error`) means "open without asking, from now on".
    @discardableResult
    public consuming func opened(
        _ handle: HandleID, flags: OpenReplyFlags = [], backing: BackingID? = nil
    ) -> Bool {
        core.structure(openReply(handle, flags, backing))
    }
}

/// The reply to create and to tmpfile.
///
/// Must be answered exactly once, on the thread that received it; dropped unanswered it answers EIO. Each method
/// returns false where the kernel took no notice, because the caller was interrupted or the mount has gone.
public struct CreateReply: ~Copyable {
    private var core: ReplyCore

    init(_ core: consuming ReplyCore) { self.core = core }

    /// Answers that the operation failed.
    @discardableResult
    public consuming func error(_ error: Errno) -> Bool { core.status(error.rawValue) }

    /// Answers that the file has been made and is open.
    @discardableResult
    public consuming func created(
        _ entry: Entry, _ handle: HandleID, flags: OpenReplyFlags = [], backing: BackingID? = nil
    ) -> Bool {
        core.structure(cfuse_create_out(entry: entry.wire, open: openReply(handle, flags, backing)))
    }
}

/// `struct fuse_open_out`.
private func openReply(_ handle: HandleID, _ flags: OpenReplyFlags, _ backing: BackingID?) -> cfuse_open_out {
    guard let backing else {
        return cfuse_open_out(fh: handle.rawValue, open_flags: flags.rawValue, backing_id: 0)
    }
    // The kernel fails the open if a flag of the page cache comes with it: the cache is the backing file's.
    let flags = flags.intersection([.directIO, .parallelDirectWrites, .noFlush]).union(.passthrough)
    return cfuse_open_out(fh: handle.rawValue, open_flags: flags.rawValue, backing_id: backing.rawValue)
}
