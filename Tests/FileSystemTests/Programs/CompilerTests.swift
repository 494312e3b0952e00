import Testing

/// A compiler and make, which believes in modification times.
@Suite struct CompilerTests {
    /// A project of 40 files that include each other's headers, with rules that say what depends on what.
    @Sendable private static func makeProject(_ area: Area) throws {
        try HostScript.run(
            """
            mkdir -p source include build
            for i in $(seq 40); do
                echo "int value$i(int);" > include/value$i.h
                next=$((i % 40 + 1))
                printf '#include "value%d.h"\\n#include "value%d.h"\\nint value%d(int n) { return n <= 0 ? %d : value%d(n - 1) + 1; }\\n' \\
                    $i $next $i $i $next > source/value$i.c
            done
            printf '#include <stdio.h>\\n#include "value1.h"\\nint main(void) { return printf("%%d\\\\n", value1(100)) < 0; }\\n' > source/main.c
            cat > Makefile <<'END'
            sources := $(wildcard source/*.c)
            objects := $(sources:source/%.c=build/%.o)
            program: build/libvalues.a build/main.o
            \tgcc -o $@ build/main.o build/libvalues.a
            build/libvalues.a: $(filter-out build/main.o,$(objects))
            \tar rcsD $@ $?
            build/%.o: source/%.c
            \tgcc -O1 -MMD -MP -Iinclude -c -o $@ $<
            -include $(objects:.o=.d)
            END
            make -j4 > /dev/null
            """, in: area.path)
    }

    private static let functions = """
        rebuilt() { make -j4 | { grep -c ' -c -o ' || true; }; }

        """

    @Test("what was built in a lower layer is up to date, and what is edited is built again, with what depends on it")
    func project() throws {
        let printed = try HostScript.compare(
            layers: [Self.makeProject],
            Self.functions + """
                make -q && ./program
                # One source, one header that two sources include, and a new file.
                sed -i 's/+ 1/+ 2/' source/value7.c; echo edited: $(rebuilt); ./program; make -q
                echo '/* more */' >> include/value9.h; echo header: $(rebuilt); ./program; make -q
                # Half of all objects go; the directory is moved away and back.
                rm build/value2*.o; echo removed: $(rebuilt); make -q
                mv build elsewhere; mv elsewhere build; make -q; ./program
                mv source old; cp -a old source; rm -r old; make -q; echo same: $(rebuilt)
                touch include/value1.h; echo touched: $(rebuilt)
                make -q; gcc -c -Iinclude -o twice.o source/value3.c; cmp <(nm build/value3.o | cut -c18-) <(nm twice.o | cut -c18-)
                sha256sum program build/libvalues.a | cut -c-64
                """,
            again: Self.functions + "make -q; echo $(rebuilt); ./program; sha256sum program | cut -c-64")
        #expect(printed.hasPrefix("121\nedited: 1\n"), "\(printed)")
        #expect(printed.contains("header: 2\n") && printed.contains("same: 0\n"))
    }
}
