mkdir -p d/sub e/sub; echo 1 >1.txt; echo 2 >d/2.txt; echo k >d/keep; echo s >d/sub/s; echo o >o; rm -f .dockerignore
