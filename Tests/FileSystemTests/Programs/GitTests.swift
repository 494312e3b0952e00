import Testing

/// git, which hashes everything it stores, links and renames its objects, and compares times and inode numbers.
@Suite struct GitTests {
    /// Names and times that make each commit's hash the same on every run.
    private static let prefix = """
        export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=c GIT_COMMITTER_EMAIL=c@example.org
        export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'
        git() { command git -c gc.auto=0 -c init.defaultBranch=main -c safe.directory='*' -c core.fsync=all "$@"; }

        """

    /// A repository with packed and loose objects, hard links among its files and a submodule-like directory.
    @Sendable private static func makeRepository(_ area: Area) throws {
        try HostScript.run(
            prefix + """
                git init -q repository; cd repository
                for directory in $(seq 15); do
                    mkdir -p source/d$directory/deep
                    for file in $(seq 20); do
                        seq $directory $((directory * file + 200)) > source/d$directory/f$file
                        echo $file > source/d$directory/deep/g$file
                    done
                done
                ln -s source/d1 link; chmod +x source/d2/f2
                git add -A; git commit -qm first; git repack -adq
                for file in source/d3/*; do test -d $file || echo more >> $file; done
                git add -A; git commit -qm second; git tag -a -m tagged v1
                """, in: area.path)
    }

    private static let work =
        prefix + """
            cd repository
            git status --porcelain
            # A clone of a repository links its objects.
            git clone -q . ../clone
            git fsck --full --strict 2>&1
            for file in source/d4/f*; do echo changed >> $file; done
            git mv source/d5 moved; git mv source/d6/deep source/deep
            rm -r source/d7; mkdir -p source/d7/deep; echo anew > source/d7/deep/g1
            git rm -rq source/d8; rm link; ln -s moved link
            for file in $(seq 200); do echo "new $file" > new$file; done
            git status --porcelain | sort | sha256sum
            git add -A; git commit -qm third; git rev-parse HEAD HEAD^{tree}
            git status --porcelain
            git checkout -q v1; git status --porcelain; test ! -e new1; test -e source/d8/f1
            git checkout -q main; git status --porcelain; test ! -e source/d8
            git checkout -qb branch HEAD~2; echo other > source/d9/f9; git commit -qam other
            git merge -q -m merged main; git rev-parse HEAD HEAD^{tree}
            git worktree add -q ../tree v1; (cd ../tree; git status --porcelain)
            git gc -q --prune=now; git count-objects -v | grep -v size
            git fsck --full --strict 2>&1
            cd ../clone; git pull -q origin branch; git rev-parse HEAD; git status --porcelain
            git fsck --full --strict 2>&1
            rm -rf ../repository.git; git clone -q --bare . ../repository.git
            """

    private static let lookAgain =
        prefix + """
            for tree in repository clone tree; do
                cd $tree; git rev-parse HEAD; git status --porcelain; git fsck --full --strict 2>&1; cd ..
            done
            cd repository; git log --format=%H --all | sha256sum
            find . -path ./.git -prune -o -print | sort | sha256sum
            """

    @Test("a repository of a lower layer is cloned, changed, merged, collected and checked")
    func repository() throws {
        let printed = try HostScript.compare(layers: [Self.makeRepository], Self.work, again: Self.lookAgain)
        #expect(!printed.contains("error") && !printed.contains("missing") && !printed.contains("dangling tree"))
    }
}
