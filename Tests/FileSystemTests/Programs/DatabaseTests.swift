import Testing

/// SQLite, which knows when a file system loses or reorders what it was told, or forgets a lock.
@Suite struct DatabaseTests {
    /// A bank whose money must stay the same: 1000 accounts with 100 each, with some weight so that the file is large.
    @Sendable private static func makeBank(_ area: Area) throws {
        try HostScript.run(
            """
            sqlite3 bank.db <<'END'
            create table account(id integer primary key, amount integer, weight blob);
            create table log(worker integer, number integer, primary key (worker, number));
            with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000)
                insert into account select i, 100, zeroblob(900) from n;
            END
            cp bank.db wal.db
            # A database that was left in the middle of a write-ahead log: the log lies in the layer, too.
            sqlite3 wal.db <<'END' > /dev/null
            pragma journal_mode=wal;
            pragma wal_autocheckpoint=0;
            .filectrl persist_wal 1
            update account set weight = zeroblob(901) where id % 10 = 0;
            END
            test -s wal.db-wal
            """, in: area.path)
    }

    /// Shell functions: `work DATABASE WORKER COUNT` makes transfers, `look DATABASE` counts all money again and again,
    /// `check DATABASE` prints what must be true in the end.
    private static let functions = """
        work() {
            local i
            {
                echo '.timeout 60000'
                for i in $(seq $3); do
                    echo "begin immediate;
                        update account set amount = amount - $i where id = ($2 * 131 + $i * 7) % 1000 + 1;
                        update account set amount = amount + $i where id = ($2 * 57 + $i * 11) % 1000 + 1;
                        insert into log values($2, $i); commit;"
                done
            } | sqlite3 -bail "$1"
        }
        look() {
            local i sum
            for i in $(seq 15); do
                sum=$(sqlite3 -readonly -cmd '.timeout 60000' "$1" 'select sum(amount) from account')
                test "$sum" = 100000
            done
        }
        check() {
            sqlite3 -cmd '.timeout 60000' "$1" "pragma integrity_check;
                select 'money', sum(amount), 'entries', count(*) from account;
                select worker, count(*), sum(number) from log group by worker;
                select 'checksum', sum(id * amount) from account;"
        }
        all() { # waits for every job that was started
            local job; for job in $(jobs -p); do wait $job; done
        }

        """

    private static func transfers(_ database: String, journal: String) -> String {
        functions + """
            sqlite3 \(database) 'pragma journal_mode=\(journal)'
            for worker in 1 2 3 4; do work \(database) $worker 25 & done
            look \(database) & look \(database) &
            all
            check \(database)
            """
    }

    @Test(
        "several processes transfer money in a database of a lower layer",
        arguments: [("delete", "bank.db"), ("truncate", "bank.db"), ("persist", "bank.db"), ("wal", "wal.db")])
    func transfers(journal: String, database: String) throws {
        let printed = try HostScript.compare(
            layers: [Self.makeBank], Self.transfers(database, journal: journal),
            again: Self.functions + "check \(database)")
        #expect(printed.contains("\nok\nmoney|100000|entries|1000\n1|25|325\n2|25|325\n3|25|325\n4|25|325\n"))
    }

    @Test("the same with the kernel's caches dropped all the while", arguments: ["delete", "wal"])
    func transfersWithoutCaches(journal: String) throws {
        try whileForgetting {
            let printed = try HostScript.compare(
                layers: [Self.makeBank], Self.transfers("bank.db", journal: journal),
                again: Self.functions + "check bank.db")
            #expect(printed.contains("\nok\nmoney|100000|entries|1000\n"))
        }
    }

    @Test("a writer that is killed in a transaction leaves a database that recovers", arguments: ["delete", "wal"])
    func killedWriter(journal: String) throws {
        let printed = try HostScript.compare(
            layers: [Self.makeBank],
            Self.functions + """
                sqlite3 bank.db 'pragma journal_mode=\(journal)'
                work bank.db 1 10
                # Half of a transaction, larger than the cache so that it is in the files already, and then nothing more.
                mkfifo pipe
                sqlite3 -cmd 'pragma cache_size=10' bank.db < pipe > /dev/null & writer=$!
                exec 3> pipe
                echo "begin immediate; update account set amount = amount + 1, weight = zeroblob(950);" >&3
                echo ".shell touch half" >&3
                while [ ! -e half ]; do sleep 0.02; done
                kill -KILL $writer; { wait $writer || true; } 2> /dev/null
                exec 3>&-; rm pipe half
                check bank.db; work bank.db 2 10; check bank.db
                """, again: Self.functions + "check bank.db")
        #expect(printed.contains("\nok\nmoney|100000|entries|1000\n1|10|55\n2|10|55\n"))
    }
}
