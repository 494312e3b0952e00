mkdir -p a/b/c b/c x/a/b; for f in a/b/c/f a/f b/c/f x/a/b/g x/a/g f g; do echo $f >$f; done
printf '**/b/**\n!**/g\na/**/f\n' >.dockerignore
