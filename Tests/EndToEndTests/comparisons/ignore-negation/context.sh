mkdir -p a/b a/c d/e; for f in one two a/x a/b/y a/c/z d/e/f d/g; do echo $f >$f; done
printf '*\n!a/b\n!d/e/f\n!one\n' >.dockerignore
