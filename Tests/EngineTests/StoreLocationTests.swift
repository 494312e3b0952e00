import Engine
import Linux
import Testing

@Suite struct StoreLocationTests {
    private func path(_ chosen: String?, _ variables: [String: String], isRoot: Bool = false) -> String {
        StoreLocation(chosen, environment: ProcessEnvironment(variables), isRoot: isRoot).path
    }

    @Test("what is chosen goes before STRATA_ROOT, and that before the usual places")
    func order() {
        #expect(path("/a", ["STRATA_ROOT": "/b"], isRoot: true) == "/a")
        #expect(path(nil, ["STRATA_ROOT": "/b"], isRoot: true) == "/b")
        #expect(path(nil, ["STRATA_ROOT": ""], isRoot: true) == "/var/lib/strata")
        #expect(path(nil, ["XDG_DATA_HOME": "/d", "HOME": "/h"]) == "/d/strata")
        #expect(path(nil, ["XDG_DATA_HOME": "", "HOME": "/h"]) == "/h/.local/share/strata")
        #expect(path(nil, [:]) == "/tmp/.local/share/strata")
    }

    @Test("an environment is taken whole, and empty is as good as unset where that is asked")
    func environment() {
        let own = ProcessEnvironment.current()
        #expect(own["PATH"]?.isEmpty == false)
        #expect(own["STRATA_SURELY_UNSET"] == nil)
        #expect(ProcessEnvironment(["A": ""])["A"] == "")
        #expect(ProcessEnvironment(["A": ""]).nonEmpty("A") == nil)
    }
}
