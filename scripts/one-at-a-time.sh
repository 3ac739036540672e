# Waits while another make runs the script that takes this in.
if command -v flock >/dev/null 2>&1; then
    exec 9<"$0"
    flock -n 9 || { echo "Waiting for another make that installs here …"; flock 9 || true; }
fi
