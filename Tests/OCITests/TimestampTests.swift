import OCI
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0, 0, "1970-01-01T00:00:00Z"),
        ("2024-02-29T23:59:59.123456789Z", 1_709_251_199, 123_456_789, "2024-02-29T23:59:59.123456789Z"),
        ("2024-03-01T01:59:59.5+02:00", 1_709_251_199, 500_000_000, "2024-02-29T23:59:59.5Z"),
        ("2000-01-01T00:00:00-01:30", 946_690_200, 0, "2000-01-01T01:30:00Z"),
        ("1969-12-31T23:59:59.1234567891Z", -1, 123_456_789, "1969-12-31T23:59:59.123456789Z"),
        ("0001-01-01T00:00:00Z", -62_135_596_800, 0, "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59Z", 253_402_300_799, 0, "9999-12-31T23:59:59Z"),
    ])
    func parsesAndPrints(_ text: String, _ seconds: Int64, _ nanoseconds: Int32, _ printed: String) throws {
        let time = try Timestamp(parsing: text)
        #expect(time.seconds == seconds)
        #expect(time.nanoseconds == nanoseconds)
        #expect(time.description == printed)
    }

    @Test(arguments: [
        "", "2024", "2024-01-01", "2024-13-01T00:00:00Z", "2024-01-01T25:00:00Z", "2024-01-01T00:00:00",
        "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00+1", "2024-01-01T00:00:00Zx", "2024-01-01T00:00:00+aa:bb",
    ])
    func refuses(_ text: String) {
        #expect(throws: OCIError.self) { try Timestamp(parsing: text) }
    }

    @Test func everyDayOfFourCenturies() throws {
        for day in stride(from: Int64(-73_000), to: 73_000, by: 1) {
            let time = Timestamp(seconds: day * 86400 + 43_200, nanoseconds: 1)
            #expect(try Timestamp(parsing: time.description) == time)
        }
    }

    @Test("A time in a log has nine digits after the point", arguments: [(0, "000000000"), (120_000_000, "120000000")])
    func fixedWidth(_ nanoseconds: Int32, _ fraction: String) {
        #expect(Timestamp(seconds: 0, nanoseconds: nanoseconds).fixedWidth == "1970-01-01T00:00:00.\(fraction)Z")
    }

    @Test func extremesDoNotTrap() {
        #expect(Timestamp(seconds: .max).description == "9999-12-31T23:59:59Z")
        #expect(Timestamp(seconds: .min).description == "0000-01-01T00:00:00Z")
    }
}
