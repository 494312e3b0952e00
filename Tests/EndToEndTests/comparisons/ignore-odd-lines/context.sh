mkdir d e; for f in a b c d/x e/x 'sp ace' '#h' f; do echo 1 >"$f"; done
printf '\xef\xbb\xbfa\r\n\n  b  \n/c\n./d/\nsp ace\n # f\ne/../f\n' >.dockerignore
