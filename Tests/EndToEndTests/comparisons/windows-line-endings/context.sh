echo a >a; sed -i 's/$/\r/' Dockerfile
