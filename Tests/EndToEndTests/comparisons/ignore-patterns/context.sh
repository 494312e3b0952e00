mkdir -p a/b/c node_modules/x docs src/tmp; for f in keep.md README.md README-secret.md a/x.log a/b/y.log a/b/c/z.txt node_modules/x/i.js docs/d.md src/tmp/t src/s.c .hidden temp1 tempab; do echo $f >$f; done
cat >.dockerignore <<'END'
# comment
*.md
!README*.md
README-secret.md
**/*.log
node_modules
temp?
src/tmp
END
