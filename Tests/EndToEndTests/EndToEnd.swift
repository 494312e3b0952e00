import Testing

/// Everything that drives the built program. One test at a time: containers, mounts and disk usage are the machine's.
@Suite(.serialized) struct EndToEnd {}
