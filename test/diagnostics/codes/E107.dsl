// The model will stand here.
dim hidden = 64
