import Testing

@testable import Rendering

/// Lists in each of their forms.
@Suite struct ListingTests {
    struct Row {
        var id: String
        var name: String
    }

    static let listing = Listing<Row>(
        columns: [Column("Name", "NAME") { $0.name }, Column("ID", "THING ID") { $0.id }], standard: ["ID", "Name"])
    static let rows = [Row(id: "1", name: "first"), Row(id: "1234567890", name: "second")]

    @Test func tableIsAlignedAsDockers() throws {
        #expect(
            try Self.listing.text(Self.rows, format: nil) == """
                THING ID     NAME
                1            first
                1234567890   second

                """)
        // No column of fewer than ten characters.
        #expect(try Self.listing.text([Row(id: "1", name: "x")], format: "table") == "THING ID   NAME\n1          x\n")
    }

    @Test func otherForms() throws {
        #expect(try Self.listing.text(Self.rows, format: nil, quiet: "ID") == "1\n1234567890\n")
        #expect(try Self.listing.text(Self.rows, format: "{{.Name}}!") == "first!\nsecond!\n")
        #expect(try Self.listing.text(Self.rows, format: #"{{.ID}}\t{{.Name}}"#) == "1\tfirst\n1234567890\tsecond\n")
        #expect(
            try Self.listing.text(Self.rows, format: #"table {{.Name}}\t{{.ID}}"#)
                == "NAME      THING ID\nfirst     1\nsecond    1234567890\n")
        #expect(
            try Self.listing.text(Self.rows, format: "json")
                == "{\"ID\":\"1\",\"Name\":\"first\"}\n{\"ID\":\"1234567890\",\"Name\":\"second\"}\n")
        #expect(throws: RenderingError.self) { try Self.listing.text(Self.rows, format: "{{.Nobody}}") }
    }
}
