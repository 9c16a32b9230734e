word: included
