import Engine
import OCI
import Testing

/// Points in time as users give them.
@Suite struct TimePointTests {
    @Test func pointsInTime() throws {
        let now = Timestamp(seconds: 100_000)
        #expect(try TimePoint.parse("1h30m", now: now).seconds == 94_600)
        #expect(try TimePoint.parse("42", now: now).seconds == 42)
        #expect(try TimePoint.parse("1970-01-02", now: now).seconds == 86_400)
        #expect(try TimePoint.parse("1970-01-01T00:01:00Z", now: now).seconds == 60)
        #expect(throws: EngineError.self) { try TimePoint.parse("yesterday", now: now) }
    }
}
