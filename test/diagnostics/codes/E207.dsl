import "blocks.dsl"

model M {
  input x[n, 3]
  output y = x * 2
}
