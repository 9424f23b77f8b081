it('the runner runs', () => {})
