for i in $(seq 25); do echo "COPY f$((i % 3)) /l$((i % 7))" >>Dockerfile; echo $i >f$((i % 3)); done
