import Linux

/// Waits until a condition holds, at most so many seconds; says whether it does.
@discardableResult
package func waitUntil(seconds: Int = 60, _ condition: () throws -> Bool) rethrows -> Bool {
    let end = MonotonicClock.milliseconds + Int64(seconds) * 1000
    while try !condition() {
        if MonotonicClock.milliseconds >= end { return false }
        MonotonicClock.sleep(milliseconds: 10)
    }
    return true
}
