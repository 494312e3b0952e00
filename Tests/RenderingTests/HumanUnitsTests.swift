import Testing

@testable import Rendering

/// Sizes and times as Docker prints them.
@Suite struct HumanUnitsTests {
    static let sizes: [(Int64, String)] = [
        (0, "0B"), (1, "1B"), (999, "999B"), (1000, "1kB"), (1023, "1.02kB"), (1500, "1.5kB"), (9_995, "10kB"),
        (72_800_000, "72.8MB"), (123_456_789, "123MB"), (999_499, "999kB"), (999_999, "1MB"), (999_999_999, "1GB"),
        (1_234_567_890, "1.23GB"), (5_000_000_000_000, "5TB"), (Int64.max, "9.22EB"), (-1500, "-1.5kB"),
    ]

    @Test(arguments: sizes)
    func printsSize(bytes: Int64, text: String) {
        #expect(HumanUnits.size(bytes) == text)
    }

    @Test func sizesOfDiskUsageHaveFourDigits() {
        #expect(HumanUnits.size(1_234_567_890, digits: 4) == "1.235GB")
        #expect(HumanUnits.size(16_430_000, digits: 4) == "16.43MB")
        #expect(HumanUnits.size(212, digits: 4) == "212B")
    }

    static let durations: [(Int64, String)] = [
        (-5, "Less than a second"), (0, "Less than a second"), (1, "1 second"), (59, "59 seconds"),
        (60, "About a minute"), (119, "About a minute"), (120, "2 minutes"), (2699, "44 minutes"),
        (3599, "59 minutes"), (3600, "About an hour"), (5399, "About an hour"), (5400, "2 hours"),
        (47 * 3600, "47 hours"), (48 * 3600, "2 days"), (14 * 86400, "2 weeks"), (60 * 86400, "2 months"),
        (730 * 86400, "2 years"),
    ]

    @Test(arguments: durations)
    func printsDuration(seconds: Int64, text: String) {
        #expect(HumanUnits.duration(seconds: seconds) == text)
    }

    @Test func shortTexts() {
        #expect(ShortText.id("sha256:" + String(repeating: "ab", count: 32)) == "abababababab")
        #expect(ShortText.command(["/bin/sh", "-c", "echo hello world"]) == "\"/bin/sh -c echo hel…\"")
        #expect(ShortText.command(["a\"b", "\n\u{1}"], truncated: false) == #""a\"b \n\x01""#)
    }
}
