import FUSE
import Linux
import Synchronization
import Testing

@testable import UnionFS

/// What the kernel knows, and when it is let go.
@Suite struct NodeTableTests {
    private func table() -> NodeTable {
        NodeTable(root: DirectoryState(lowers: [], isResolved: true, mayMerge: false), inode: 1, flags: .upper)
    }

    private func description(_ inode: UInt64, several: Bool = false) -> NodeTable.Description {
        var result = NodeTable.Description(inode: inode, type: .regular, flags: .upper)
        result.hasSeveralNames = several
        return result
    }

    private func directory(_ inode: UInt64) -> NodeTable.Description {
        NodeTable.Description(
            inode: inode, type: .directory, flags: .upper,
            directory: DirectoryState(lowers: [], isResolved: true, mayMerge: false))
    }

    @Test func `a name is one node until the kernel has forgotten it`() throws {
        let table = table()
        let first = named("f") { table.enter(table.root, $0, description(7)) }
        let again = named("f") { table.enter(table.root, $0, description(7)) }
        #expect(first === again)
        #expect(table.forget(first, count: 1) == nil)
        #expect(try table.node(first.id) === first)
        #expect(table.forget(first, count: 1) === first)
        #expect(throws: Errno.ESTALE) { try table.node(first.id) }
        #expect(named("f") { table.find(table.root, $0, counting: false) } == nil)
    }

    @Test func `a number never comes back`() throws {
        let table = table()
        var seen: Set<NodeID> = []
        for _ in 0..<100 {
            let node = named("f") { table.enter(table.root, $0, description(7)) }
            #expect(seen.insert(node.id).inserted)
            table.forget(node, count: 1)
        }
    }

    @Test func `numbers that the kernel never got find nothing`() {
        let table = table()
        for number: UInt64 in [0, 2, 99, 1 << 20, 1 << 40, .max] {
            #expect(table.nodeIfKnown(NodeID(rawValue: number)) == nil)
        }
        #expect(table.nodeIfKnown(.root) === table.root)
    }

    @Test func `a directory stays while something below is known`() throws {
        let table = table()
        let parent = named("d") { table.enter(table.root, $0, directory(2)) }
        let child = named("f") { table.enter(parent, $0, description(3)) }
        #expect(table.forget(parent, count: 1) == nil)
        #expect(try table.node(parent.id) === parent)
        table.forget(child, count: 1)
        #expect(table.nodeIfKnown(parent.id) == nil)
    }

    @Test func `names of one file are one node`() throws {
        let table = table()
        let first = named("f") { table.enter(table.root, $0, description(7, several: true)) }
        let second = named("g") { table.enter(table.root, $0, description(7, several: true)) }
        #expect(first === second)
        #expect(named("f") { table.removeLink(table.root, $0, of: first, isLast: false) } == false)
        #expect(first.link.map { String(decoding: $0.text.bytes, as: UTF8.self) } == "g")
        #expect(named("g") { table.removeLink(table.root, $0, of: first, isLast: true) })
        #expect(first.isRemoved)
        let other = named("f") { table.enter(table.root, $0, description(7, several: true)) }
        #expect(other !== first)
    }

    @Test func `a rename takes the node along`() throws {
        let table = table()
        let parent = named("d") { table.enter(table.root, $0, directory(2)) }
        let node = named("f") { table.enter(table.root, $0, description(3)) }
        named("f") { old in named("g") { table.moveLink(table.root, old, to: parent, $0) } }
        #expect(named("f") { table.find(table.root, $0, counting: false) } == nil)
        #expect(named("g") { table.find(parent, $0, counting: false) } === node)
        #expect(node.link?.parent === parent)
    }

    @Test func `an exchange swaps the nodes`() throws {
        let table = table()
        let one = named("one") { table.enter(table.root, $0, description(1)) }
        let two = named("two") { table.enter(table.root, $0, description(2)) }
        named("one") { first in named("two") { table.exchangeLinks(table.root, first, table.root, $0) } }
        #expect(named("one") { table.find(table.root, $0, counting: false) } === two)
        #expect(named("two") { table.find(table.root, $0, counting: false) } === one)
    }

    @Test func `many names`() throws {
        let table = table()
        let nodes = (0..<5000).map { number in
            named("name\(number)") { table.enter(table.root, $0, description(UInt64(number) + 10)) }
        }
        for number in 0..<5000 {
            #expect(named("name\(number)") { table.find(table.root, $0, counting: false) } === nodes[number])
        }
        for node in nodes { table.forget(node, count: 1) }
        #expect(table.root.children.load(ordering: .relaxed) == 0)
    }
}
