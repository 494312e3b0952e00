/// Points in time as Docker writes them.
package enum DockerTime {
    /// Go's zero time: what has not happened.
    package static let never = "0001-01-01T00:00:00Z"
}
