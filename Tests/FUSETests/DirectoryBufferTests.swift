import FUSE
import Linux
import Testing

@Suite struct DirectoryBufferTests {
    @Test func entriesAreInTheKernelsLayout() throws {
        var buffer = DirectoryBuffer(capacity: 4096)
        let appended = "abc".withCString { name in
            buffer.append(name: Name(name), inode: 7, type: .regular, nextOffset: 42)
        }
        #expect(appended)
        let bytes = buffer.bytes
        #expect(bytes.count == 32)
        #expect(bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self) == 7)
        #expect(bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self) == 42)
        #expect(bytes.loadUnaligned(fromByteOffset: 16, as: UInt32.self) == 3)
        #expect(bytes.loadUnaligned(fromByteOffset: 20, as: UInt32.self) == 8)
        #expect(Array(bytes[24..<32]) == Array("abc".utf8) + [0, 0, 0, 0, 0])
    }

    @Test func whatDoesNotFitIsRefusedAndLeavesTheRestAlone() {
        var buffer = DirectoryBuffer(capacity: 64)
        func append(_ text: String) -> Bool {
            text.withCString { buffer.append(name: Name($0), inode: 1, type: nil, nextOffset: 1) }
        }
        let first = append("12345678")
        let second = append("12345678")
        let third = append("1")
        #expect(first && second && !third)
        #expect(buffer.bytes.count == 64)
    }

    @Test(arguments: [0, 1025])
    func namesThatTheKernelWouldRefuseAreRefused(length: Int) {
        var buffer = DirectoryBuffer(capacity: 4096)
        let text = String(repeating: "x", count: length)
        let appended = text.withCString { buffer.append(name: Name($0), inode: 1, type: nil, nextOffset: 1) }
        #expect(!appended)
        let empty = buffer.isEmpty
        #expect(empty)
    }

    @Test func plusEntriesCarryTheLookup() {
        var buffer = DirectoryBuffer(capacity: 4096)
        var attributes = Attributes()
        attributes.inode = 9
        attributes.mode = 0o100644
        let entry = Entry(node: NodeID(rawValue: 77), attributes: attributes)
        let room = buffer.hasRoom(forNameOfLength: 1)
        let appended = "a".withCString { name in
            buffer.append(name: Name(name), entry: entry, inode: 9, type: .regular, nextOffset: 1)
        }
        #expect(room && appended)
        let bytes = buffer.bytes
        #expect(bytes.count == 160)
        #expect(bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self) == 77)
        #expect(bytes.loadUnaligned(fromByteOffset: 40, as: UInt64.self) == 9)
        #expect(bytes.loadUnaligned(fromByteOffset: 128, as: UInt64.self) == 9)
    }
}
