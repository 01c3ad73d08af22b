"""Pictures made from cubes that are already there: nothing is computed twice and no file but the picture is opened."""
