"""One public function behind each command: files and arrays in, cubes or rows out."""
