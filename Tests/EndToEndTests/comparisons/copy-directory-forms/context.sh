mkdir -p d/sub e/sub; echo 1 >d/one; echo 2 >d/sub/two; echo 3 >e/sub/three; echo 4 >e/four; chmod 711 d/sub; chmod 700 e; chmod 600 d/one; touch -d @950000000 d/sub
